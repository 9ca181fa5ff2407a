// Connects to the services, as the service config and the options say.

package tandem

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/backoff"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/keepalive"
	"google.golang.org/grpc/resolver"
	"google.golang.org/grpc/resolver/manual"

	pb "tandem.example/client/tandem/v1"
)

const (
	// A ping after so much silence, and how long its answer may take.
	silence    = 10 * time.Second
	pingAnswer = 5 * time.Second
)

// A Client is connected to a command service and to query services. It may be used from several
// goroutines at once. Make one for a process, and sessions of it.
type Client struct {
	// Commands is the plain stub of the command service on this client's connections: with its
	// retries, deadline and token, without sessions. Give its requests a request_id, else a retry
	// may do them twice. Its errors are gRPC's.
	Commands pb.CommandServiceClient
	// Queries is the plain stub of the query services, likewise.
	Queries pb.QueryServiceClient

	connections []*grpc.ClientConn
	timeout     time.Duration
	pauses      pauses
	// Closed when the client is.
	closed   chan struct{}
	shutting sync.Once
	// Waits, unless ctx ends first; tests have no patience.
	pause func(ctx context.Context, pause time.Duration)
}

// A ConfigurationError says what is wrong with how a client was to be made. The caller has to
// change that; nothing was sent.
type ConfigurationError struct {
	// What is wrong, and what to do about it.
	Message string
}

func (e *ConfigurationError) Error() string { return "tandem: " + e.Message }

func wrong(format string, values ...any) error {
	return &ConfigurationError{Message: fmt.Sprintf(format, values...)}
}

// Dial makes a client of the services at these addresses, each host:port: one command service and
// one or several query services, which are taken in turn. It doesn't connect: that is done by the
// first call, and again whenever a connection is lost. Close the client when it is of no more use.
//
// The error is a [*ConfigurationError].
func Dial(command string, query []string, opts ...Option) (*Client, error) {
	return dial(embedded, command, query, opts)
}

func dial(serviceConfig []byte, command string, query []string, opts []Option) (*Client, error) {
	var with options
	for _, opt := range opts {
		opt(&with)
	}
	if with.wrong != nil {
		return nil, with.wrong
	}
	if with.token != nil && with.tls == nil {
		return nil, wrong("a token is only sent over TLS; add WithTLS, or leave the token out")
	}
	if with.timeout != nil && *with.timeout <= 0 {
		return nil, wrong("the timeout is %v; it has to be more than 0", *with.timeout)
	}
	if len(query) == 0 {
		return nil, wrong("no address of a query service was given; at least one is needed")
	}
	for _, address := range append([]string{command}, query...) {
		if !isAddress(address) {
			return nil, wrong("the address %q is not of the form host:port", address)
		}
	}
	config, err := readServiceConfig(serviceConfig)
	if err != nil {
		return nil, wrong("%v", err)
	}
	if with.timeout != nil {
		config.timeout = *with.timeout
	}

	c := &Client{timeout: config.timeout, pauses: config.pauses, closed: make(chan struct{})}
	c.pause = c.wait
	for _, addresses := range [][]string{{command}, query} {
		connection, err := c.connect(addresses, config, with)
		if err != nil {
			return nil, errors.Join(wrong("%v", err), c.Close())
		}
		c.connections = append(c.connections, connection)
	}
	c.Commands = pb.NewCommandServiceClient(c.connections[0])
	c.Queries = pb.NewQueryServiceClient(c.connections[1])
	return c, nil
}

// Close ends the client's connections, and with them what is under way on them. It may be called
// more than once.
func (c *Client) Close() error {
	var failed []error
	c.shutting.Do(func() {
		close(c.closed)
		for _, connection := range c.connections {
			failed = append(failed, connection.Close())
		}
	})
	return errors.Join(failed...)
}

func (c *Client) isClosed() bool {
	select {
	case <-c.closed:
		return true
	default:
		return false
	}
}

func isAddress(address string) bool {
	host, port, err := net.SplitHostPort(address)
	number, notNumber := strconv.ParseUint(port, 10, 16)
	if err != nil || notNumber != nil || number == 0 {
		return false
	}
	if strings.HasPrefix(address, "[") {
		ip, err := netip.ParseAddr(host)
		return err == nil && ip.Is6()
	}
	// With these it would be more than a host in the URLs that gRPC takes addresses for.
	return host != "" && !strings.ContainsFunc(host, func(r rune) bool { return r <= ' ' || strings.ContainsRune("/?#@%[]\\", r) })
}

// Session makes a session. It begins with the given receipts, such as those of a session in
// another process ([Session.Receipts]), or with none.
func (c *Client) Session(receipts ...string) *Session {
	return newSession(c, receipts)
}

// One channel to all the addresses. A single one is gRPC's to resolve, and to resolve again: its name
// may stand for several. Of several each has a server name of its own, since with TLS each has to
// show a certificate for its own host.
func (c *Client) connect(addresses []string, config settings, with options) (*grpc.ClientConn, error) {
	var state resolver.State
	for _, address := range addresses {
		state.Addresses = append(state.Addresses, resolver.Address{Addr: address, ServerName: address})
	}
	fixed := manual.NewBuilderWithScheme("tandem")
	fixed.InitialState(state)

	opts := []grpc.DialOption{
		grpc.WithResolvers(fixed),
		grpc.WithDefaultServiceConfig(config.forGRPC),
		grpc.WithChainUnaryInterceptor(c.bounded),
		grpc.WithUserAgent("tandem-client-go/" + Version),
		grpc.WithKeepaliveParams(keepalive.ClientParameters{
			Time: silence, Timeout: pingAnswer, PermitWithoutStream: true,
		}),
		// gRPC's own pauses between attempts to connect grow to two minutes, so that a service that
		// was away for long would be missed for minutes after it has come back.
		grpc.WithConnectParams(grpc.ConnectParams{
			Backoff: backoff.Config{
				BaseDelay: config.pauses.initial, Multiplier: config.pauses.multiplier,
				MaxDelay: config.pauses.longest, Jitter: 0.2,
			},
			MinConnectTimeout: silence + pingAnswer,
		}),
	}
	if with.tls != nil {
		opts = append(opts, grpc.WithTransportCredentials(credentials.NewTLS(with.tls)))
	} else {
		opts = append(opts, grpc.WithTransportCredentials(insecure.NewCredentials()))
	}
	if with.token != nil {
		opts = append(opts, grpc.WithPerRPCCredentials(bearer(with.token)))
	}
	if len(addresses) == 1 {
		// An IPv6 address may have a zone after a percent sign.
		return grpc.NewClient("dns:///"+url.PathEscape(addresses[0]), opts...)
	}
	// Its name is of no consequence, as the resolver and the server names don't come from it.
	return grpc.NewClient("tandem:///services", opts...)
}

// Gives a call its deadline, unless the caller did.
func (c *Client) bounded(ctx context.Context, method string, request, answer any,
	connection *grpc.ClientConn, call grpc.UnaryInvoker, opts ...grpc.CallOption) error {
	ctx, cancel := c.within(ctx)
	defer cancel()
	return call(ctx, method, request, answer, connection, opts...)
}

func (c *Client) within(ctx context.Context) (context.Context, context.CancelFunc) {
	if _, given := ctx.Deadline(); given {
		return ctx, func() {}
	}
	return context.WithTimeout(ctx, c.timeout)
}

func (c *Client) wait(ctx context.Context, pause time.Duration) {
	timer := time.NewTimer(pause)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	case <-c.closed:
	}
}
