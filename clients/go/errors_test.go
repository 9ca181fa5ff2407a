// Checks what errors say, and what they are matched with.

package tandem

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/durationpb"
)

func TestWhatAnErrorSays(t *testing.T) {
	t.Parallel()
	told, err := status.New(codes.InvalidArgument, "customer_id must not be empty").WithDetails(
		&errdetails.ErrorInfo{Reason: "INVALID_REQUEST", Metadata: map[string]string{"a": "b"}},
		&errdetails.BadRequest{FieldViolations: []*errdetails.BadRequest_FieldViolation{{Field: "customer_id", Description: "must not be empty"}}},
		&errdetails.RetryInfo{RetryDelay: durationpb.New(400 * time.Millisecond)},
	)
	if err != nil {
		t.Fatal(err)
	}
	e := fault("PlaceOrder", told.Err())
	if e.Code != codes.InvalidArgument || e.Reason != "INVALID_REQUEST" || e.Message != "customer_id must not be empty" ||
		e.Metadata["a"] != "b" || len(e.Violations) != 1 || e.Violations[0] != (Violation{"customer_id", "must not be empty"}) ||
		e.RetryDelay != 400*time.Millisecond {
		t.Errorf("%+v", e)
	}
	wrapped := fmt.Errorf("wrapped: %w", e)
	if !errors.Is(wrapped, ErrInvalidArgument) || errors.Is(wrapped, ErrNotFound) || status.Code(wrapped) != codes.InvalidArgument {
		t.Errorf("%v is not what it is", wrapped)
	}
	if plain, ok := status.FromError(e); !ok || len(plain.Details()) != 3 || plain.Message() != e.Message {
		t.Errorf("as a gRPC error it is %v", plain)
	}
}

func TestErrorsOfContexts(t *testing.T) {
	t.Parallel()
	for code, is := range map[codes.Code]error{codes.Canceled: context.Canceled, codes.DeadlineExceeded: context.DeadlineExceeded} {
		e := fault("GetCustomer", status.Error(code, ""))
		for _, other := range []error{context.Canceled, context.DeadlineExceeded} {
			if errors.Is(e, other) != (is == other) {
				t.Errorf("%v is %v: %v", e, other, errors.Is(e, other))
			}
		}
	}
}

func TestWhatNobodyAnswered(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		code          codes.Code
		said, message string
		reason        string
	}{
		{codes.Unavailable, "dial tcp 127.0.0.1:1: connect: connection refused", "GetOrder: nothing listens there (dial", "UNAVAILABLE"},
		{codes.Unavailable, "x509: certificate is valid for a, not b", "GetOrder: the certificate is for another name (x509", "UNAVAILABLE"},
		{codes.DeadlineExceeded, "context deadline exceeded", "GetOrder: not answered in time", "DEADLINE_EXCEEDED"},
		{codes.Canceled, "context canceled", "GetOrder: canceled by the caller", "CANCELLED"},
		{codes.Unknown, "something else", "GetOrder: something else", "UNKNOWN"},
		{codes.Internal, "", "GetOrder: failed without a word", "INTERNAL"},
	} {
		e := fault("GetOrder", status.Error(c.code, c.said))
		if !strings.HasPrefix(e.Message, c.message) || e.Reason != c.reason || !strings.Contains(e.Error(), c.message) {
			t.Errorf("%v", e)
		}
	}
}
