// Checks what a session shows, keeps and settles.

package tandem

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/durationpb"

	pb "tandem.example/client/tandem/v1"
)

func read(t *testing.T, s *Session, brought ...string) {
	t.Helper()
	if _, err := s.GetCustomer(t.Context(), &pb.GetCustomerRequest{Freshness: &pb.Freshness{Receipts: brought}}); err != nil {
		t.Fatal(err)
	}
}

func write(t *testing.T, s *Session) {
	t.Helper()
	if _, err := s.PlaceOrder(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
}

func TestReadsShowWhatWasWritten(t *testing.T) {
	t.Parallel()
	service := serve(t)
	client := service.client(t)
	s := client.Session()
	read(t, s)
	write(t, s)
	write(t, s)
	read(t, s)
	read(t, client.Session(s.Receipts()...))
	read(t, s, "mine")
	read(t, client.Session())
	expected := [][]string{nil, {"r-1", "r-2"}, {"r-1", "r-2"}, {"mine", "r-1", "r-2"}, nil}
	if !slices.EqualFunc(service.shown, expected, slices.Equal) {
		t.Errorf("shown %q", service.shown)
	}
}

func TestRequestsAreNotChanged(t *testing.T) {
	t.Parallel()
	service := serve(t)
	s := service.client(t).Session("kept")
	query := &pb.GetCustomerRequest{CustomerId: "ada", Freshness: &pb.Freshness{Receipts: []string{"mine"}, MaxStaleness: durationpb.New(1)}}
	query.Freshness.Receipts = slices.Grow(query.Freshness.Receipts, 8)
	bare := &pb.GetCustomerRequest{CustomerId: "ada"}
	list := &pb.ListOrdersRequest{PageSize: 2}
	command := &pb.PlaceOrderRequest{CustomerId: "ada"}
	before := []proto.Message{proto.Clone(query), proto.Clone(bare), proto.Clone(list), proto.Clone(command)}
	for _, err := range []error{
		second(s.GetCustomer(t.Context(), query)),
		second(s.GetCustomer(t.Context(), bare)),
		second(s.PlaceOrder(t.Context(), command)),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, err := range s.ListOrders(t.Context(), list).Rows() {
		if err != nil {
			t.Fatal(err)
		}
	}
	for i, after := range []proto.Message{query, bare, list, command} {
		if !proto.Equal(before[i], after) {
			t.Errorf("%v became %v", before[i], after)
		}
	}
	if free := query.Freshness.Receipts[:2]; free[1] != "" {
		t.Errorf("%q was written behind the caller's receipts", free[1])
	}
}

func second[T any](_ T, err error) error { return err }

func TestCommandsHaveAnIDForAllTheirTries(t *testing.T) {
	t.Parallel()
	service := serve(t)
	service.refuse = func(try int) error {
		if try < 3 {
			return status.Error(codes.Unavailable, "not yet")
		}
		return nil
	}
	s := service.client(t).Session()
	write(t, s)
	write(t, s)
	if _, err := s.PlaceOrder(t.Context(), &pb.PlaceOrderRequest{RequestId: "given"}); err != nil {
		t.Fatal(err)
	}
	ids := service.requestIDs
	uuid := regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`)
	if len(ids) != 5 || !uuid.MatchString(ids[0]) || ids[0] != ids[1] || ids[0] != ids[2] || ids[0] == ids[3] || ids[4] != "given" {
		t.Errorf("the tries had request_ids %q", ids)
	}
}

func TestTooManyReceiptsAreSettled(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		kept, brought int
		settlings     []int // how many receipts each settling showed
		shown         int
	}{
		{32, 0, nil, 32},
		{33, 0, []int{32}, 2},
		{70, 0, []int{32, 32}, 8},
		{20, 12, nil, 32},
		{20, 13, []int{20}, 14},
		{40, 31, []int{32, 9}, 32},
		{5, 32, []int{5, 32}, 2},
		{0, 32, nil, 32},
	} {
		t.Run(fmt.Sprint(c.kept, " and ", c.brought), func(t *testing.T) {
			t.Parallel()
			service := serve(t)
			s := service.client(t).Session(receipts(c.kept)...)
			read(t, s, receipts(c.brought)...)
			var settlings []int
			for _, shown := range service.settlings {
				settlings = append(settlings, len(shown))
			}
			if !slices.Equal(settlings, c.settlings) || len(service.shown[0]) != c.shown {
				t.Errorf("settled %v and showed %v", settlings, len(service.shown[0]))
			}
		})
	}
}

func TestSettledReceiptsAreTheOldest(t *testing.T) {
	t.Parallel()
	service := serve(t)
	s := service.client(t).Session(receipts(34)...)
	read(t, s)
	expected := []string{"p-1", "given-32", "given-33"}
	if !slices.Equal(service.shown[0], expected) || !slices.Equal(s.Receipts(), expected) {
		t.Errorf("showed %q and kept %q", service.shown[0], s.Receipts())
	}
	if !slices.Equal(service.settlings[0], receipts(32)) {
		t.Errorf("settled %q", service.settlings[0])
	}
}

func TestReceiptsHaveABound(t *testing.T) {
	t.Parallel()
	service := serve(t)
	s := service.client(t).Session(receipts(1023)...)
	write(t, s)
	if len(service.settlings) != 0 || len(s.Receipts()) != 1024 {
		t.Errorf("settled %d times and kept %d", len(service.settlings), len(s.Receipts()))
	}
	write(t, s)
	if len(service.settlings) != 1 || len(s.Receipts()) != 1024-32+1+1 {
		t.Errorf("settled %d times and kept %d", len(service.settlings), len(s.Receipts()))
	}
}

func TestWhatCannotBeSettledFailsTheCallAndIsKept(t *testing.T) {
	t.Parallel()
	service := serve(t)
	s := service.client(t).Session(receipts(40)...)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := s.GetCustomer(ctx, nil); status.Code(err) != codes.Canceled || !strings.Contains(err.Error(), "GetCustomer was not sent") {
		t.Errorf("got %v", err)
	}
	if len(s.Receipts()) != 40 || len(service.shown) != 0 {
		t.Errorf("kept %d, asked %d times", len(s.Receipts()), len(service.shown))
	}
}

func TestWhoWaitsForAnotherToSettleHasADeadline(t *testing.T) {
	t.Parallel()
	service := serve(t)
	s := service.client(t, WithTimeout(50*time.Millisecond)).Session(receipts(mostKept)...)
	s.settling <- struct{}{}
	failed := make(chan error)
	go func() {
		_, err := s.PlaceOrder(t.Context(), nil)
		failed <- err
	}()
	select {
	case err := <-failed:
		if status.Code(err) != codes.DeadlineExceeded || !strings.Contains(err.Error(), "PlaceOrder was not sent") {
			t.Error(err)
		}
	case <-time.After(5 * time.Second):
		t.Error("it waits for ever")
	}
}

func TestManyUseOneSession(t *testing.T) {
	t.Parallel()
	service := serve(t)
	s := service.client(t).Session(receipts(30)...)
	var all sync.WaitGroup
	for range 8 {
		all.Add(1)
		go func() {
			defer all.Done()
			for range 20 {
				_, err := s.PlaceOrder(t.Context(), nil)
				if err == nil {
					_, err = s.GetCustomer(t.Context(), nil)
				}
				if err != nil {
					t.Error(err)
					return
				}
			}
		}()
	}
	all.Wait()
	// What was written is settled or kept, and nothing is lost or settled twice.
	counted := map[string]int{}
	for _, receipt := range append(slices.Concat(service.settlings...), s.Receipts()...) {
		counted[receipt]++
	}
	for i := range 160 {
		if receipt := fmt.Sprintf("r-%d", i+1); counted[receipt] != 1 {
			t.Errorf("%s is there %d times", receipt, counted[receipt])
		}
	}
}

func TestACommandThatSettlingKeptFromBeingSentSaysSo(t *testing.T) {
	t.Parallel()
	service := serve(t)
	client, err := Dial(service.address, []string{"127.0.0.1:1"}, WithTimeout(200*time.Millisecond))
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	s := client.Session(make([]string, mostKept)...)
	_, err = s.PlaceOrder(t.Context(), nil)
	if err == nil || !strings.Contains(err.Error(), "PlaceOrder was not sent") || service.tries != 0 {
		t.Errorf("%v after %d tries", err, service.tries)
	}
}
