// What an error says, for programs and for people.

package tandem

import (
	"context"
	"fmt"
	"time"

	"google.golang.org/genproto/googleapis/rpc/code"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// What errors are matched with: errors.Is(err, tandem.ErrNotFound). There are six; other codes are
// told apart by [Error].Code.
var (
	// ErrInvalidArgument: the request is wrong, [Error].Violations says where. Change the request.
	ErrInvalidArgument error = kind(codes.InvalidArgument)
	// ErrNotFound: there is no such row.
	ErrNotFound error = kind(codes.NotFound)
	// ErrFailedPrecondition: the request can't be met as things are, [Error].Reason says why. Change
	// the request.
	ErrFailedPrecondition error = kind(codes.FailedPrecondition)
	// ErrUnavailable: nobody could answer just now, though it was tried five times. Try again later;
	// a command with the same request_id.
	ErrUnavailable error = kind(codes.Unavailable)
	// ErrDeadlineExceeded: it took too long. The outcome of a command is not known: send it again with
	// the same request_id. A query may ask for less freshness, or with a later deadline.
	ErrDeadlineExceeded error = kind(codes.DeadlineExceeded)
	// ErrCanceled: the caller canceled the call, or closed the client.
	ErrCanceled error = kind(codes.Canceled)
)

// kind matches errors of one gRPC code.
type kind codes.Code

func (k kind) Error() string { return name(codes.Code(k)) }

// An Error is why a call failed. errors.As finds it; errors.Is compares its code with [ErrNotFound]
// and the like, and with context.Canceled and context.DeadlineExceeded. It is a gRPC error too, so
// that status.Code and status.FromError work as on errors of the plain stub.
type Error struct {
	// Code is gRPC's.
	Code codes.Code
	// Reason says for programs what the matter was, as INVALID_REQUEST. When it wasn't Tandem that
	// answered, as with a wrong address, it is the code's name, as UNAVAILABLE.
	Reason string
	// Message says it for people. One that this client made says which call it was.
	Message string
	// Metadata has particulars of the reason; nil if there are none.
	Metadata map[string]string
	// Violations are all that is wrong with the request's fields.
	Violations []Violation
	// RetryDelay is how long to wait before trying again, if the service said so, else 0.
	RetryDelay time.Duration

	status *status.Status
}

// A Violation is what is wrong with a field of a request.
type Violation struct {
	// Field is its name in the contract, as order_item_name.
	Field string
	// Description goes on after the field's name, as "must not be empty".
	Description string
}

func (e *Error) Error() string { return fmt.Sprintf("tandem: %s: %s", e.Reason, e.Message) }

// GRPCStatus returns the status as gRPC had it, with its details.
func (e *Error) GRPCStatus() *status.Status { return e.status }

// Is says whether target stands for this error's code.
func (e *Error) Is(target error) bool {
	switch target {
	case context.Canceled:
		return e.Code == codes.Canceled
	case context.DeadlineExceeded:
		return e.Code == codes.DeadlineExceeded
	}
	k, ok := target.(kind)
	return ok && e.Code == codes.Code(k)
}

// fault makes an Error of what the stub returned for a call.
func fault(call string, err error) *Error {
	if known, ok := err.(*Error); ok {
		return known
	}
	told := status.Convert(err)
	e := &Error{Code: told.Code(), Message: told.Message(), status: told}
	for _, detail := range told.Details() {
		switch detail := detail.(type) {
		case *errdetails.ErrorInfo:
			e.Reason, e.Metadata = detail.GetReason(), detail.GetMetadata()
		case *errdetails.BadRequest:
			for _, field := range detail.GetFieldViolations() {
				e.Violations = append(e.Violations, Violation{field.GetField(), field.GetDescription()})
			}
		case *errdetails.RetryInfo:
			e.RetryDelay = detail.GetRetryDelay().AsDuration()
		}
	}
	if e.Reason == "" {
		e.Reason = name(e.Code)
		e.Message = call + ": " + unanswered(e.Code, e.Message)
	}
	return e
}

// unsent makes an Error of what kept a call from being sent: receipts that could not be settled.
func unsent(call string, err error) *Error {
	e := fault("ListCustomers", err)
	e.Message = call + " was not sent: the session's receipts could not be settled: " + e.Message
	return e
}

// name is a code as gRPC spells it, as NOT_FOUND.
func name(c codes.Code) string { return code.Code(c).String() }
