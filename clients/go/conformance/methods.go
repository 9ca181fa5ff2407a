// The methods of a session, by the names that the contract gives them.

package main

import (
	"context"
	"encoding/json"

	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"

	"tandem.example/client"
)

type method func(context.Context, *tandem.Session, *step) (object, error)

type (
	session = tandem.Session
	paged   interface {
		proto.Message
		GetNextPageToken() string
	}
	message[T any] interface {
		*T
		proto.Message
	}
)

var calls = map[string]method{
	"CreateCustomer":     call((*session).CreateCustomer),
	"UpdateCustomer":     call((*session).UpdateCustomer),
	"RemoveCustomer":     call((*session).RemoveCustomer),
	"PlaceOrder":         call((*session).PlaceOrder),
	"UpdateOrder":        call((*session).UpdateOrder),
	"CancelOrder":        call((*session).CancelOrder),
	"SendGreeting":       call((*session).SendGreeting),
	"GetCustomer":        call((*session).GetCustomer),
	"GetOrder":           call((*session).GetOrder),
	"ListInstances":      call((*session).ListInstances),
	"GetCustomerOrders":  call(page((*session).GetCustomerOrders)),
	"ListCustomers":      call(page((*session).ListCustomers)),
	"ListOrders":         call(page((*session).ListOrders)),
	"ListCustomerOrders": call(page((*session).ListCustomerOrders)),
	"ListGreetings":      call(page((*session).ListGreetings)),
	"ListRejects":        call(page((*session).ListRejects)),
}

var rows = map[string]method{
	"GetCustomerOrders":  rowsOf((*session).GetCustomerOrders),
	"ListCustomers":      rowsOf((*session).ListCustomers),
	"ListOrders":         rowsOf((*session).ListOrders),
	"ListCustomerOrders": rowsOf((*session).ListCustomerOrders),
	"ListGreetings":      rowsOf((*session).ListGreetings),
	"ListRejects":        rowsOf((*session).ListRejects),
}

var pages = map[string]method{
	"GetCustomerOrders":  pagesOf((*session).GetCustomerOrders),
	"ListCustomers":      pagesOf((*session).ListCustomers),
	"ListOrders":         pagesOf((*session).ListOrders),
	"ListCustomerOrders": pagesOf((*session).ListCustomerOrders),
	"ListGreetings":      pagesOf((*session).ListGreetings),
	"ListRejects":        pagesOf((*session).ListRejects),
}

func call[T any, Q message[T], A proto.Message](do func(*session, context.Context, Q) (A, error)) method {
	return func(ctx context.Context, s *session, told *step) (object, error) {
		request, err := read[T, Q](told.Request)
		if err != nil {
			return nil, err
		}
		answer, err := do(s, ctx, request)
		if err != nil {
			return failed(err)
		}
		return one(answer)
	}
}

func page[Q any, R any, P paged](list func(*session, context.Context, Q) tandem.List[R, P]) func(*session, context.Context, Q) (P, error) {
	return func(s *session, ctx context.Context, request Q) (P, error) { return list(s, ctx, request).Page() }
}

func rowsOf[T any, Q message[T], R proto.Message, P paged](list func(*session, context.Context, Q) tandem.List[R, P]) method {
	return func(ctx context.Context, s *session, told *step) (object, error) {
		request, err := read[T, Q](told.Request)
		if err != nil {
			return nil, err
		}
		return many("rows", list(s, ctx, request).Rows(), told.Limit)
	}
}

func pagesOf[T any, Q message[T], R any, P paged](list func(*session, context.Context, Q) tandem.List[R, P]) method {
	return func(ctx context.Context, s *session, told *step) (object, error) {
		request, err := read[T, Q](told.Request)
		if err != nil {
			return nil, err
		}
		return many("pages", list(s, ctx, request).Pages(), told.Limit)
	}
}

func one(answer proto.Message) (object, error) {
	text, err := protojson.Marshal(answer)
	return object{"response": json.RawMessage(text)}, err
}

func many[M proto.Message](what string, all func(func(M, error) bool), limit *int) (object, error) {
	texts := []json.RawMessage{}
	if limit != nil && *limit == 0 {
		return object{what: texts}, nil
	}
	for each, err := range all {
		if err != nil {
			return failed(err)
		}
		text, err := protojson.Marshal(each)
		if err != nil {
			return nil, err
		}
		texts = append(texts, text)
		if limit != nil && len(texts) == *limit {
			break
		}
	}
	return object{what: texts}, nil
}

func read[T any, Q message[T]](text json.RawMessage) (Q, error) {
	request := Q(new(T))
	if len(text) == 0 {
		return request, nil
	}
	return request, protojson.Unmarshal(text, request)
}
