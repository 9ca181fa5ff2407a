// The commands: what a session writes.
//
// Each answers once what it wrote is durable, and is refused with InvalidArgument when the request
// is wrong. A request without request_id is sent with one, the same for all its tries, so that it
// has one effect. When the outcome is not known (Unavailable, DeadlineExceeded, Canceled), a caller
// who gave a request_id can send the same request again safely.

package tandem

import (
	"context"

	pb "tandem.example/client/tandem/v1"
)

// CreateCustomer registers a customer, or replaces the one of that id. Without an id the service
// makes one.
func (s *Session) CreateCustomer(ctx context.Context, req *pb.CreateCustomerRequest) (*pb.CreateCustomerResponse, error) {
	own := copyOf(req)
	return command(ctx, s, "CreateCustomer", own, &own.RequestId, pb.CommandServiceClient.CreateCustomer)
}

// UpdateCustomer states a customer anew: every field is replaced, an empty one becomes empty.
func (s *Session) UpdateCustomer(ctx context.Context, req *pb.UpdateCustomerRequest) (*pb.UpdateCustomerResponse, error) {
	own := copyOf(req)
	return command(ctx, s, "UpdateCustomer", own, &own.RequestId, pb.CommandServiceClient.UpdateCustomer)
}

// RemoveCustomer removes a customer. Its orders stay, with blank customer fields.
func (s *Session) RemoveCustomer(ctx context.Context, req *pb.RemoveCustomerRequest) (*pb.RemoveCustomerResponse, error) {
	own := copyOf(req)
	return command(ctx, s, "RemoveCustomer", own, &own.RequestId, pb.CommandServiceClient.RemoveCustomer)
}

// PlaceOrder places an order. Without an id the service makes one; the customer may be registered
// later.
func (s *Session) PlaceOrder(ctx context.Context, req *pb.PlaceOrderRequest) (*pb.PlaceOrderResponse, error) {
	own := copyOf(req)
	return command(ctx, s, "PlaceOrder", own, &own.RequestId, pb.CommandServiceClient.PlaceOrder)
}

// UpdateOrder states an order anew: every field is replaced, an empty one becomes empty.
func (s *Session) UpdateOrder(ctx context.Context, req *pb.UpdateOrderRequest) (*pb.UpdateOrderResponse, error) {
	own := copyOf(req)
	return command(ctx, s, "UpdateOrder", own, &own.RequestId, pb.CommandServiceClient.UpdateOrder)
}

// CancelOrder cancels an order. Cancelling one that is not there has no effect.
func (s *Session) CancelOrder(ctx context.Context, req *pb.CancelOrderRequest) (*pb.CancelOrderResponse, error) {
	own := copyOf(req)
	return command(ctx, s, "CancelOrder", own, &own.RequestId, pb.CommandServiceClient.CancelOrder)
}

// SendGreeting sends a greeting. Without an id the service makes one.
func (s *Session) SendGreeting(ctx context.Context, req *pb.SendGreetingRequest) (*pb.SendGreetingResponse, error) {
	own := copyOf(req)
	return command(ctx, s, "SendGreeting", own, &own.RequestId, pb.CommandServiceClient.SendGreeting)
}
