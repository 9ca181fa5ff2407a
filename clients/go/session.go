// Keeps the receipts of what was written, and shows them with what is read.

package tandem

import (
	"context"
	"crypto/rand"
	"fmt"
	"slices"
	"sync"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	pb "tandem.example/client/tandem/v1"
)

const (
	// The most receipts that a query takes.
	mostShown = 32
	// With so many receipts, some are settled before the next command.
	mostKept = 1024
)

// A Session is one user's thread of work: what was written in it is in what is read in it next, on
// any instance. It is cheap, and may be used from several goroutines at once. Two users in one
// session only wait for each other's writes.
//
// Each of its methods takes the contract's request, which it doesn't change (nil is an empty one),
// and gives the contract's response. A call has the deadline of its context, else the client's
// ([WithTimeout]), and is tried up to five times within it while nobody can answer. Every error is
// an [*Error].
type Session struct {
	client *Client

	mu sync.Mutex
	// The oldest first. What is in it is never changed in place, only added to or replaced, so that
	// it can be shown without being copied.
	receipts []string

	// Held by who settles receipts, so that nobody else settles the same ones.
	settling chan struct{}
}

func newSession(c *Client, receipts []string) *Session {
	return &Session{client: c, receipts: slices.Clone(receipts), settling: make(chan struct{}, 1)}
}

// Receipts returns what proves this session's writes, to be given to [Client.Session], in another
// process too. Some may be positions of the view, which prove all that it held.
func (s *Session) Receipts() []string { return slices.Clone(s.kept()) }

func (s *Session) kept() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.receipts[:len(s.receipts):len(s.receipts)]
}

func (s *Session) keep(receipt string) {
	if receipt == "" {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.receipts = append(s.receipts, receipt)
}

// command sends a request of the session's own, whose request_id is at id, and keeps the receipt.
func command[Q proto.Message, A interface{ GetReceipt() string }](
	ctx context.Context, s *Session, call string, request Q, id *string,
	stub func(pb.CommandServiceClient, context.Context, Q, ...grpc.CallOption) (A, error),
) (answer A, _ error) {
	if *id == "" {
		*id = newRequestID()
	}
	// Settling is part of the call, so it shares the call's deadline; below too.
	ctx, cancel := s.client.within(ctx)
	defer cancel()
	if len(s.kept()) >= mostKept {
		if _, err := s.settleTo(ctx, mostKept-1); err != nil {
			return answer, unsent(call, err)
		}
	}
	answer, err := stub(s.client.Commands, ctx, request)
	if err != nil {
		return answer, fault(call, err)
	}
	s.keep(answer.GetReceipt())
	return answer, nil
}

// ask sends a request of the session's own, whose freshness is at freshness.
func ask[Q proto.Message, A proto.Message](
	ctx context.Context, s *Session, call string, request Q, freshness **pb.Freshness,
	stub func(pb.QueryServiceClient, context.Context, Q, ...grpc.CallOption) (A, error),
) (answer A, _ error) {
	ctx, cancel := s.client.within(ctx)
	defer cancel()
	if err := s.show(ctx, freshness); err != nil {
		return answer, unsent(call, err)
	}
	answer, err := stub(s.client.Queries, ctx, request)
	if err != nil {
		return answer, fault(call, err)
	}
	return answer, nil
}

// show adds this session's receipts to the freshness of a request, settling some if they are too many.
func (s *Session) show(ctx context.Context, freshness **pb.Freshness) error {
	own, brought := s.kept(), (*freshness).GetReceipts()
	if len(own) == 0 {
		return nil
	}
	if len(own)+len(brought) > mostShown {
		var err error
		if own, err = s.settleTo(ctx, max(1, mostShown-len(brought))); err != nil {
			return err
		}
	}
	// A request that brings as many as a query takes leaves no room for even one.
	if len(own)+len(brought) > mostShown {
		position, err := s.settled(ctx, brought)
		if err != nil {
			return err
		}
		brought = []string{position}
	}
	if *freshness == nil {
		*freshness = &pb.Freshness{}
	}
	if len(brought) > 0 {
		own = append(slices.Clip(brought), own...)
	}
	(*freshness).Receipts = own
	return nil
}

// settleTo replaces the oldest receipts by positions until there are at most so many, which it
// returns. There is always one left.
func (s *Session) settleTo(ctx context.Context, most int) ([]string, error) {
	select {
	case s.settling <- struct{}{}:
		defer func() { <-s.settling }()
	case <-ctx.Done():
		return nil, status.FromContextError(ctx.Err()).Err()
	}
	for {
		kept := s.kept()
		if len(kept) <= most {
			return kept, nil
		}
		oldest := min(len(kept), mostShown)
		position, err := s.settled(ctx, kept[:oldest])
		if err != nil {
			return nil, err
		}
		s.mu.Lock()
		s.receipts = append([]string{position}, s.receipts[oldest:]...)
		s.mu.Unlock()
	}
}

// settled returns a position that proves what these receipts do. A list's position covers every
// shard, so the shortest list will do.
func (s *Session) settled(ctx context.Context, receipts []string) (string, error) {
	page, err := s.client.Queries.ListCustomers(ctx, &pb.ListCustomersRequest{
		PageSize: 1, Freshness: &pb.Freshness{Receipts: receipts},
	})
	if err != nil {
		return "", err
	}
	if position := page.GetServed().GetPosition(); position != "" {
		return position, nil
	}
	return "", status.Error(codes.Internal, "the service gave a list without a position; it has to be updated")
}

// copyOf makes the session's own copy of a caller's request.
func copyOf[T any, Q interface {
	*T
	proto.Message
}](request Q) Q {
	if request == nil {
		return new(T)
	}
	return proto.CloneOf(request)
}

// newRequestID makes a random UUID (version 4).
func newRequestID() string {
	var id [16]byte
	rand.Read(id[:]) // never fails, see its documentation
	id[6] = id[6]&0x0f | 0x40
	id[8] = id[8]&0x3f | 0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", id[:4], id[4:6], id[6:8], id[8:10], id[10:])
}
