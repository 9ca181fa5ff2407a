// A service that notes what it is asked and answers as a test says, on a port of its own.

package tandem

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"sync"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	pb "tandem.example/client/tandem/v1"
)

type scripted struct {
	pb.UnimplementedCommandServiceServer
	pb.UnimplementedQueryServiceServer

	address string
	// What a try of a call is answered with; nil: the usual answer.
	refuse func(try int) error
	watch  func(try int, request *pb.WatchCustomerOrdersRequest, to grpc.ServerStreamingServer[pb.WatchCustomerOrdersResponse]) error

	mu         sync.Mutex
	tries      int
	requestIDs []string
	shown      [][]string // receipts, by query
	settlings  [][]string // receipts, by list of one customer
	deadlines  []time.Duration
	tokens     []string
}

func serve(t *testing.T, opts ...grpc.ServerOption) *scripted {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &scripted{address: listener.Addr().String()}
	server := grpc.NewServer(opts...)
	pb.RegisterCommandServiceServer(server, s)
	pb.RegisterQueryServiceServer(server, s)
	go server.Serve(listener)
	t.Cleanup(server.Stop)
	return s
}

// client makes a client of the service that doesn't pause between tries.
func (s *scripted) client(t *testing.T, opts ...Option) *Client {
	t.Helper()
	return quick(t, []string{s.address}, opts...)
}

func quick(t *testing.T, addresses []string, opts ...Option) *Client {
	t.Helper()
	hurried := bytes.Replace(embedded, []byte(`"0.25s"`), []byte(`"0.001s"`), 1)
	hurried = bytes.Replace(hurried, []byte(`"4s"`), []byte(`"0.004s"`), 1)
	c, err := dial(hurried, addresses[0], addresses, opts)
	if err != nil {
		t.Fatal(err)
	}
	c.pause = func(context.Context, time.Duration) {}
	t.Cleanup(func() { c.Close() })
	return c
}

func (s *scripted) noted(ctx context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.tries++
	if at, ok := ctx.Deadline(); ok {
		s.deadlines = append(s.deadlines, time.Until(at))
	}
	if carried, ok := metadata.FromIncomingContext(ctx); ok {
		s.tokens = append(s.tokens, carried.Get("authorization")...)
	}
	if s.refuse != nil {
		return s.refuse(s.tries)
	}
	return nil
}

func (s *scripted) PlaceOrder(ctx context.Context, r *pb.PlaceOrderRequest) (*pb.PlaceOrderResponse, error) {
	s.mu.Lock()
	s.requestIDs = append(s.requestIDs, r.RequestId)
	receipt := fmt.Sprintf("r-%d", len(s.requestIDs))
	s.mu.Unlock()
	if err := s.noted(ctx); err != nil {
		return nil, err
	}
	return &pb.PlaceOrderResponse{Receipt: receipt}, nil
}

func (s *scripted) asked(ctx context.Context, f *pb.Freshness) error {
	s.mu.Lock()
	s.shown = append(s.shown, f.GetReceipts())
	s.mu.Unlock()
	if len(f.GetReceipts()) > 32 {
		return status.Error(codes.InvalidArgument, "too many receipts")
	}
	return s.noted(ctx)
}

func (s *scripted) GetCustomer(ctx context.Context, r *pb.GetCustomerRequest) (*pb.GetCustomerResponse, error) {
	return &pb.GetCustomerResponse{}, s.asked(ctx, r.Freshness)
}

func (s *scripted) ListCustomers(ctx context.Context, r *pb.ListCustomersRequest) (*pb.ListCustomersResponse, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if r.PageSize != 1 || len(r.Freshness.GetReceipts()) > 32 {
		return nil, status.Error(codes.InvalidArgument, "not how receipts are settled")
	}
	s.settlings = append(s.settlings, r.Freshness.GetReceipts())
	return &pb.ListCustomersResponse{Served: &pb.Served{Position: fmt.Sprintf("p-%d", len(s.settlings))}}, nil
}

// Five orders, two at most on a page.
func (s *scripted) ListOrders(ctx context.Context, r *pb.ListOrdersRequest) (*pb.ListOrdersResponse, error) {
	if err := s.asked(ctx, r.Freshness); err != nil {
		return nil, err
	}
	all := []*pb.Order{{OrderId: "1"}, {OrderId: "2"}, {OrderId: "3"}, {OrderId: "4"}, {OrderId: "5"}}
	switch r.PageToken {
	case "":
		return &pb.ListOrdersResponse{Orders: all[:2], NextPageToken: "empty"}, nil
	case "empty":
		return &pb.ListOrdersResponse{NextPageToken: "2"}, nil
	case "2":
		return &pb.ListOrdersResponse{Orders: all[2:4], NextPageToken: "4"}, nil
	}
	return &pb.ListOrdersResponse{Orders: all[4:]}, nil
}

func (s *scripted) WatchCustomerOrders(r *pb.WatchCustomerOrdersRequest, to grpc.ServerStreamingServer[pb.WatchCustomerOrdersResponse]) error {
	if err := s.asked(to.Context(), r.Freshness); err != nil {
		return err
	}
	s.mu.Lock()
	try := s.tries
	s.mu.Unlock()
	return s.watch(try, r, to)
}

func receipts(many int) []string {
	all := make([]string, many)
	for i := range all {
		all[i] = fmt.Sprintf("given-%d", i)
	}
	return all
}
