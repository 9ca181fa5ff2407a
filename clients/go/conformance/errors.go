// Says what an error is to users of this client.

package main

import (
	"errors"

	"google.golang.org/genproto/googleapis/rpc/code"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"tandem.example/client"
)

var values = []struct {
	name  string
	value error
}{
	{"InvalidArgument", tandem.ErrInvalidArgument},
	{"NotFound", tandem.ErrNotFound},
	{"FailedPrecondition", tandem.ErrFailedPrecondition},
	{"Unavailable", tandem.ErrUnavailable},
	{"DeadlineExceeded", tandem.ErrDeadlineExceeded},
	{"Cancelled", tandem.ErrCanceled},
}

func failed(err error) (object, error) {
	var configuration *tandem.ConfigurationError
	if errors.As(err, &configuration) {
		return object{"error": object{"type": "Configuration", "grpc": false, "message": configuration.Message}}, nil
	}
	var fault *tandem.Error
	if !errors.As(err, &fault) {
		return nil, err
	}
	kind := "Other"
	for _, known := range values {
		if errors.Is(err, known.value) {
			kind = known.name
		}
	}
	plain, isPlain := status.FromError(err)
	violations := map[string]string{}
	for _, violation := range fault.Violations {
		violations[violation.Field] = violation.Description
	}
	said := object{
		"type":       kind,
		"grpc":       isPlain && plain.Code() == fault.Code && plain.Code() != codes.OK,
		"code":       code.Code(fault.Code).String(),
		"reason":     fault.Reason,
		"message":    fault.Message,
		"metadata":   fault.Metadata,
		"violations": violations,
	}
	if fault.RetryDelay > 0 {
		said["retryDelayMs"] = fault.RetryDelay.Milliseconds()
	}
	return object{"error": said}, nil
}
