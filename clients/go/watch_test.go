// Checks when a watch goes on, and when it ends.

package tandem

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/durationpb"

	pb "tandem.example/client/tandem/v1"
)

type toWatcher = grpc.ServerStreamingServer[pb.WatchCustomerOrdersResponse]

func document(n int) *pb.WatchCustomerOrdersResponse {
	return &pb.WatchCustomerOrdersResponse{ResumeToken: fmt.Sprintf("token-%d", n)}
}

func TestAWatchGoesOnByItsToken(t *testing.T) {
	t.Parallel()
	service := serve(t)
	var asked []string
	service.watch = func(try int, r *pb.WatchCustomerOrdersRequest, to toWatcher) error {
		asked = append(asked, r.ResumeToken)
		switch try {
		case 2: // once without a document
			return status.Error(codes.ResourceExhausted, "too slow")
		case 3: // an end without an error
			return to.Send(document(try))
		}
		to.Send(document(try))
		return status.Error(codes.Unavailable, "the connection broke")
	}
	request := &pb.WatchCustomerOrdersRequest{ResumeToken: "given"}
	var got []string
	for document, err := range service.client(t).Session("kept").WatchCustomerOrders(t.Context(), request) {
		if err != nil {
			t.Fatal(err)
		}
		if got = append(got, document.ResumeToken); len(got) == 3 {
			break
		}
	}
	if !slices.Equal(got, []string{"token-1", "token-3", "token-4"}) || !slices.Equal(asked, []string{"given", "token-1", "token-1", "token-3"}) {
		t.Errorf("got %q after asking with %q", got, asked)
	}
	for _, shown := range service.shown {
		if !slices.Equal(shown, []string{"kept"}) {
			t.Errorf("showed %q", shown)
		}
	}
	if request.ResumeToken != "given" || request.Freshness != nil {
		t.Errorf("the request became %v", request)
	}
}

func TestAWatchGivesUpAfterEightInterruptions(t *testing.T) {
	t.Parallel()
	service := serve(t)
	service.watch = func(try int, _ *pb.WatchCustomerOrdersRequest, to toWatcher) error {
		if try == 5 { // a document: what was before doesn't count
			to.Send(document(try))
		}
		return status.Errorf(codes.Unavailable, "interruption %d", try)
	}
	client, err := Dial(service.address, []string{service.address})
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	var pauses []time.Duration
	client.pause = func(_ context.Context, pause time.Duration) { pauses = append(pauses, pause) }
	var last error
	for _, err := range client.Session().WatchCustomerOrders(t.Context(), nil) {
		last = err
	}
	var fault *Error
	if !errors.As(last, &fault) || fault.Message != "WatchCustomerOrders: interruption 12" || service.tries != 12 {
		t.Errorf("after %d tries: %v", service.tries, last)
	}
	seconds := []float64{0.25, 0.5, 1, 2, 0.25, 0.5, 1, 2, 4, 4, 4}
	if len(pauses) != len(seconds) {
		t.Fatalf("paused %v", pauses)
	}
	for i, pause := range pauses {
		if ratio := pause.Seconds() / seconds[i]; ratio < 0.8 || ratio > 1.2 {
			t.Errorf("pause %d was %v", i, pause)
		}
	}
}

func TestAWatchWaitsAsLongAsTheServiceSays(t *testing.T) {
	t.Parallel()
	service := serve(t)
	service.watch = func(int, *pb.WatchCustomerOrdersRequest, toWatcher) error {
		told, _ := status.New(codes.Unavailable, "not ready").WithDetails(&errdetails.RetryInfo{RetryDelay: durationpb.New(time.Minute)})
		return told.Err()
	}
	client := service.client(t)
	client.pause = func(_ context.Context, pause time.Duration) {
		if pause != time.Minute {
			t.Errorf("paused %v", pause)
		}
	}
	for _, err := range client.Session().WatchCustomerOrders(t.Context(), nil) {
		if !errors.Is(err, ErrUnavailable) {
			t.Error(err)
		}
	}
}

func TestWhatCannotGetBetterEndsAWatch(t *testing.T) {
	t.Parallel()
	for _, code := range []codes.Code{
		codes.InvalidArgument, codes.NotFound, codes.PermissionDenied, codes.Unauthenticated, codes.Unimplemented, codes.FailedPrecondition,
	} {
		service := serve(t)
		service.refuse = func(int) error { return status.Error(code, "") }
		for _, err := range service.client(t).Session().WatchCustomerOrders(t.Context(), nil) {
			if status.Code(err) != code {
				t.Error(err)
			}
		}
		if service.tries != 1 {
			t.Errorf("%v was tried %d times", code, service.tries)
		}
	}
}

func TestAWatchEndsWithItsContextAndWithItsLoop(t *testing.T) {
	t.Parallel()
	service := serve(t)
	ended := make(chan error, 1)
	service.watch = func(_ int, _ *pb.WatchCustomerOrdersRequest, to toWatcher) error {
		to.Send(document(1))
		<-to.Context().Done()
		ended <- to.Context().Err()
		return to.Context().Err()
	}
	session := service.client(t).Session()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	for _, err := range session.WatchCustomerOrders(ctx, nil) {
		if err != nil {
			t.Errorf("ended with %v", err)
		}
		cancel()
	}
	<-ended
	for range session.WatchCustomerOrders(t.Context(), nil) {
		break
	}
	<-ended
	if service.tries != 2 {
		t.Errorf("opened %d times", service.tries)
	}
}

func TestAWatchOfAClosedClientEnds(t *testing.T) {
	t.Parallel()
	service := serve(t)
	service.watch = func(_ int, _ *pb.WatchCustomerOrdersRequest, to toWatcher) error {
		to.Send(document(1))
		<-to.Context().Done()
		return to.Context().Err()
	}
	client := service.client(t)
	var last error
	for _, err := range client.Session().WatchCustomerOrders(t.Context(), nil) {
		last = err
		client.Close()
	}
	if !errors.Is(last, ErrCanceled) || service.tries != 1 {
		t.Errorf("opened %d times, then %v", service.tries, last)
	}
}
