// The queries: what a session reads.

package tandem

import (
	"context"
	"iter"

	pb "tandem.example/client/tandem/v1"
)

// GetCustomer gives one customer by id; NotFound if there is none.
func (s *Session) GetCustomer(ctx context.Context, req *pb.GetCustomerRequest) (*pb.GetCustomerResponse, error) {
	own := copyOf(req)
	return ask(ctx, s, "GetCustomer", own, &own.Freshness, pb.QueryServiceClient.GetCustomer)
}

// GetOrder gives one order by its id and its customer's. The customer may be left out if only one
// has an order of that id, else it is FailedPrecondition; NotFound if there is none.
func (s *Session) GetOrder(ctx context.Context, req *pb.GetOrderRequest) (*pb.GetOrderResponse, error) {
	own := copyOf(req)
	return ask(ctx, s, "GetOrder", own, &own.Freshness, pb.QueryServiceClient.GetOrder)
}

// ListInstances tells which instances of the query service there are and what each of them serves.
func (s *Session) ListInstances(ctx context.Context, req *pb.ListInstancesRequest) (*pb.ListInstancesResponse, error) {
	answer, err := s.client.Queries.ListInstances(ctx, copyOf(req))
	if err != nil {
		return nil, fault("ListInstances", err)
	}
	return answer, nil
}

// GetCustomerOrders gives a customer and its orders. Each page has the customer, the rows are the
// orders; NotFound if there is neither.
func (s *Session) GetCustomerOrders(ctx context.Context, req *pb.GetCustomerOrdersRequest) List[*pb.Order, *pb.GetCustomerOrdersResponse] {
	req = copyOf(req)
	return List[*pb.Order, *pb.GetCustomerOrdersResponse]{req.PageToken, (*pb.GetCustomerOrdersResponse).GetOrders,
		func(token string) (*pb.GetCustomerOrdersResponse, error) {
			own := copyOf(req)
			own.PageToken = token
			return ask(ctx, s, "GetCustomerOrders", own, &own.Freshness, pb.QueryServiceClient.GetCustomerOrders)
		}}
}

// ListCustomers gives all customers, by customer id.
func (s *Session) ListCustomers(ctx context.Context, req *pb.ListCustomersRequest) List[*pb.Customer, *pb.ListCustomersResponse] {
	req = copyOf(req)
	return List[*pb.Customer, *pb.ListCustomersResponse]{req.PageToken, (*pb.ListCustomersResponse).GetCustomers,
		func(token string) (*pb.ListCustomersResponse, error) {
			own := copyOf(req)
			own.PageToken = token
			return ask(ctx, s, "ListCustomers", own, &own.Freshness, pb.QueryServiceClient.ListCustomers)
		}}
}

// ListOrders gives all orders, sorted as the request says.
func (s *Session) ListOrders(ctx context.Context, req *pb.ListOrdersRequest) List[*pb.Order, *pb.ListOrdersResponse] {
	req = copyOf(req)
	return List[*pb.Order, *pb.ListOrdersResponse]{req.PageToken, (*pb.ListOrdersResponse).GetOrders,
		func(token string) (*pb.ListOrdersResponse, error) {
			own := copyOf(req)
			own.PageToken = token
			return ask(ctx, s, "ListOrders", own, &own.Freshness, pb.QueryServiceClient.ListOrders)
		}}
}

// ListCustomerOrders gives all orders joined with their customers, by customer id and order id.
func (s *Session) ListCustomerOrders(ctx context.Context, req *pb.ListCustomerOrdersRequest) List[*pb.CustomerOrder, *pb.ListCustomerOrdersResponse] {
	req = copyOf(req)
	return List[*pb.CustomerOrder, *pb.ListCustomerOrdersResponse]{req.PageToken, (*pb.ListCustomerOrdersResponse).GetCustomerOrders,
		func(token string) (*pb.ListCustomerOrdersResponse, error) {
			own := copyOf(req)
			own.PageToken = token
			return ask(ctx, s, "ListCustomerOrders", own, &own.Freshness, pb.QueryServiceClient.ListCustomerOrders)
		}}
}

// ListGreetings gives all greetings, by greeting id.
func (s *Session) ListGreetings(ctx context.Context, req *pb.ListGreetingsRequest) List[*pb.Greeting, *pb.ListGreetingsResponse] {
	req = copyOf(req)
	return List[*pb.Greeting, *pb.ListGreetingsResponse]{req.PageToken, (*pb.ListGreetingsResponse).GetGreetings,
		func(token string) (*pb.ListGreetingsResponse, error) {
			own := copyOf(req)
			own.PageToken = token
			return ask(ctx, s, "ListGreetings", own, &own.Freshness, pb.QueryServiceClient.ListGreetings)
		}}
}

// ListRejects gives the records that could not be folded into the view, by shard, topic and offset.
func (s *Session) ListRejects(ctx context.Context, req *pb.ListRejectsRequest) List[*pb.Reject, *pb.ListRejectsResponse] {
	req = copyOf(req)
	return List[*pb.Reject, *pb.ListRejectsResponse]{req.PageToken, (*pb.ListRejectsResponse).GetRejects,
		func(token string) (*pb.ListRejectsResponse, error) {
			own := copyOf(req)
			own.PageToken = token
			return ask(ctx, s, "ListRejects", own, &own.Freshness, pb.QueryServiceClient.ListRejects)
		}}
}

// WatchCustomerOrders gives a customer and its orders: the document as it is now, then as it is
// after each change; changes that come faster than they are read may be merged into one.
//
// It begins when it is ranged over, and goes on where it was when it is interrupted, on whichever
// instance answers. It ends without an error when ctx does, and when the loop is left. An error is
// its last element: what can't get better by itself (InvalidArgument, FailedPrecondition and the
// like), or the last of eight interruptions without a document between them.
func (s *Session) WatchCustomerOrders(ctx context.Context, req *pb.WatchCustomerOrdersRequest) iter.Seq2[*pb.WatchCustomerOrdersResponse, error] {
	req = copyOf(req)
	return func(yield func(*pb.WatchCustomerOrdersResponse, error) bool) {
		token := req.ResumeToken
		open := func(ctx context.Context) (stream[pb.WatchCustomerOrdersResponse], error) {
			own := copyOf(req)
			own.ResumeToken = token
			if err := s.show(ctx, &own.Freshness); err != nil {
				return nil, err
			}
			return s.client.Queries.WatchCustomerOrders(ctx, own)
		}
		follow(ctx, s.client, "WatchCustomerOrders", open, func(document *pb.WatchCustomerOrdersResponse, err error) bool {
			if err == nil {
				token = document.GetResumeToken()
			}
			return yield(document, err)
		})
	}
}

// WatchRouting gives what [Session.ListInstances] does, at once, after each change and at least
// each second. It begins, goes on and ends as [Session.WatchCustomerOrders] does.
func (s *Session) WatchRouting(ctx context.Context, req *pb.WatchRoutingRequest) iter.Seq2[*pb.WatchRoutingResponse, error] {
	req = copyOf(req)
	return func(yield func(*pb.WatchRoutingResponse, error) bool) {
		open := func(ctx context.Context) (stream[pb.WatchRoutingResponse], error) {
			return s.client.Queries.WatchRouting(ctx, req)
		}
		follow(ctx, s.client, "WatchRouting", open, yield)
	}
}
