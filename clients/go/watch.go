// Keeps a stream going over interruptions.

package tandem

import (
	"context"
	"io"
	"math/rand/v2"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// So many interruptions without a document between them end a watch.
const mostInterruptions = 8

type stream[Document any] = grpc.ServerStreamingClient[Document]

// follow gives each document of a stream, which it opens again after an interruption. It ends when
// ctx does or document returns false, and after an error that it gave.
func follow[Document any](
	ctx context.Context, c *Client, call string,
	open func(context.Context) (stream[Document], error), document func(*Document, error) bool,
) {
	// gRPC holds what belongs to a stream until the stream ends or its context does.
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	for interruptions := 0; ; {
		from, err := open(ctx)
		for err == nil {
			var next *Document
			if next, err = from.Recv(); err == nil {
				interruptions = 0
				if !document(next, nil) {
					return
				}
			}
		}
		if ctx.Err() != nil {
			return
		}
		if err == io.EOF {
			err = status.Error(codes.Unavailable, "the service ended the watch, which has no end")
		}
		interruption := fault(call, err)
		interruptions++
		if c.isClosed() || lasting(interruption.Code) || interruptions == mostInterruptions {
			document(nil, interruption)
			return
		}
		c.pause(ctx, max(c.pauses.after(interruptions, rand.Float64()), interruption.RetryDelay))
	}
}

// lasting says whether an error stays the same however often the call is tried.
func lasting(code codes.Code) bool {
	switch code {
	case codes.InvalidArgument, codes.NotFound, codes.PermissionDenied, codes.Unauthenticated,
		codes.Unimplemented, codes.FailedPrecondition:
		return true
	}
	return false
}
