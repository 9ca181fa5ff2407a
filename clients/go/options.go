// What can be said about a client besides its addresses.

package tandem

import (
	"context"
	"crypto/tls"
	"strings"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// An Option changes what [Dial] makes.
type Option func(*options)

type options struct {
	tls     *tls.Config
	token   func(context.Context) (string, error)
	timeout *time.Duration
	// The first thing that is wrong with an option.
	wrong error
}

// WithTLS makes the client talk TLS, as config says. With nil or an empty config the services'
// certificates are checked against the system's, each for the host of its own address. The config
// is copied.
func WithTLS(config *tls.Config) Option {
	if config == nil {
		config = &tls.Config{}
	}
	return func(o *options) { o.tls = config }
}

// WithToken sends a token with each call, as "authorization: Bearer ...". It is asked for anew for
// each try of a call, with the call's context and possibly from several goroutines at once, so
// whoever fetches it has to keep it, and a call waits for it, so it has to end with its context. When it
// fails, so does the call: with the code of a gRPC status that it returns (Internal for those that only
// services give, as NotFound), when its context is over with that, else with Unauthenticated.
//
// A token is only sent over TLS: without [WithTLS], [Dial] refuses it.
func WithToken(token func(context.Context) (string, error)) Option {
	return func(o *options) {
		if token == nil {
			o.wrong = wrong("the function that gives the token is nil; leave WithToken out if there is none")
		}
		o.token = token
	}
}

// WithFixedToken is [WithToken] for a token that stays the same. It may neither be empty nor have
// control characters, as a line's end.
func WithFixedToken(token string) Option {
	return func(o *options) {
		if !isToken(token) {
			o.wrong = wrong("the token is empty or has characters that no header may have, as a line's end")
		}
		o.token = func(context.Context) (string, error) { return token, nil }
	}
}

func isToken(token string) bool {
	return token != "" && !strings.ContainsFunc(token, func(r rune) bool { return r < ' ' || r > '~' })
}

// WithTimeout says how long a call may take, with all its tries, when its context has no deadline.
// Without this option it is what the service config says, 10 s. Watches have no deadline.
func WithTimeout(timeout time.Duration) Option {
	return func(o *options) { o.timeout = &timeout }
}

// bearer puts the token on calls; gRPC asks it for each try.
type bearer func(context.Context) (string, error)

func (b bearer) GetRequestMetadata(ctx context.Context, _ ...string) (map[string]string, error) {
	token, err := b(ctx)
	switch _, told := status.FromError(err); {
	case err == nil && !isToken(token):
		return nil, status.Error(codes.Unauthenticated, "per-RPC creds failed: the token is empty or no header may have it")
	case err == nil:
	case ctx.Err() != nil:
		return nil, status.FromContextError(ctx.Err()).Err()
	case !told:
		return nil, status.Error(codes.Unauthenticated, "per-RPC creds failed: "+err.Error())
	default:
		return nil, err
	}
	return map[string]string{"authorization": "Bearer " + token}, nil
}

func (bearer) RequireTransportSecurity() bool { return true }
