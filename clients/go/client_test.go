// Checks how clients are made and connect.

package tandem

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"math/big"
	"net"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/status"

	pb "tandem.example/client/tandem/v1"
)

func token(text string, err error) Option {
	return WithToken(func(context.Context) (string, error) { return text, err })
}

func TestWhatIsWrongIsToldWhenAClientIsMade(t *testing.T) {
	t.Parallel()
	good := []string{"127.0.0.1:1"}
	for _, c := range []struct {
		command string
		query   []string
		opts    []Option
		says    string
	}{
		{good[0], good, []Option{token("secret", nil)}, "TLS"},
		{good[0], nil, nil, "query"},
		{"nonsense", good, nil, `"nonsense" is not of the form host:port`},
		{good[0], []string{"127.0.0.1:1", "127.0.0.1:"}, nil, "host:port"},
		{good[0], good, []Option{WithTimeout(0)}, "more than 0"},
		{good[0], good, []Option{WithTLS(nil), WithToken(nil)}, "is nil"},
		{good[0], good, []Option{WithTLS(nil), WithFixedToken("")}, "empty"},
		{good[0], good, []Option{WithTLS(nil), WithFixedToken("two\nlines")}, "line's end"},
	} {
		_, err := Dial(c.command, c.query, c.opts...)
		var wrong *ConfigurationError
		if !errors.As(err, &wrong) || !strings.Contains(wrong.Message, c.says) {
			t.Errorf("got %v, not %q", err, c.says)
		}
	}
}

func TestWhatIsAnAddress(t *testing.T) {
	t.Parallel()
	for _, none := range []string{
		"", "host", ":1", "host:", "host:0", "host:65536", "host:x", "::1:1", "[host]:1", "[127.0.0.1]:1", "a b:1", "h\x00:1",
		"http://host:1", "a:1,b:1", "host?x:1", "host#x:1", "user@host:1", "host%31:1",
	} {
		if _, err := Dial(none, []string{none}); err == nil {
			t.Errorf("%q was taken", none)
		}
	}
	for _, one := range []string{"host:1", "10.0.0.1:65535", "[::1]:1", "[fe80::1%eth0]:1", "bücher.example:1"} {
		client, err := Dial(one, []string{one})
		if err != nil {
			t.Errorf("%q: %v", one, err)
			continue
		}
		client.Close()
	}
}

func TestDeadlines(t *testing.T) {
	t.Parallel()
	near := func(is, expected time.Duration) bool { return is <= expected && is > expected-2*time.Second }
	for _, c := range []struct {
		opts          []Option
		own, expected time.Duration
	}{
		{nil, 0, 10 * time.Second},
		{nil, 5 * time.Second, 5 * time.Second},
		{nil, time.Minute, time.Minute}, // longer than that of the service config
		{[]Option{WithTimeout(30 * time.Second)}, 0, 30 * time.Second},
		{[]Option{WithTimeout(30 * time.Second)}, time.Minute, time.Minute},
	} {
		service := serve(t)
		client := service.client(t, c.opts...)
		ctx := t.Context()
		if c.own != 0 {
			var cancel context.CancelFunc
			ctx, cancel = context.WithTimeout(ctx, c.own)
			defer cancel()
		}
		_, err := client.Session().GetCustomer(ctx, nil)
		_, plain := client.Queries.GetCustomer(ctx, &pb.GetCustomerRequest{})
		if err != nil || plain != nil {
			t.Fatal(err, plain)
		}
		if len(service.deadlines) != 2 {
			t.Errorf("%d of 2 calls had a deadline", len(service.deadlines))
		}
		for _, deadline := range service.deadlines {
			if !near(deadline, c.expected) {
				t.Errorf("the deadline was in %v, not %v", deadline, c.expected)
			}
		}
	}
}

func TestTriesHaveAnEnd(t *testing.T) {
	t.Parallel()
	service := serve(t)
	service.refuse = func(int) error { return status.Error(codes.Unavailable, "never") }
	if _, err := service.client(t).Session().GetCustomer(t.Context(), nil); !errors.Is(err, ErrUnavailable) || service.tries != 5 {
		t.Errorf("after %d tries: %v", service.tries, err)
	}
}

func TestAddressesAreTakenInTurnAndDeadOnesPassedOver(t *testing.T) {
	t.Parallel()
	dead, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	dead.Close()
	one, two := serve(t), serve(t)
	client := quick(t, []string{dead.Addr().String(), one.address, two.address})
	for range 50 {
		read(t, client.Session())
	}
	if one.tries == 0 || two.tries == 0 {
		t.Errorf("asked %d and %d times", one.tries, two.tries)
	}
}

func TestAClosedClientSaysSo(t *testing.T) {
	t.Parallel()
	client := serve(t).client(t)
	if err := errors.Join(client.Close(), client.Close()); err != nil {
		t.Error(err)
	}
	if _, err := client.Session().GetCustomer(t.Context(), nil); !errors.Is(err, ErrCanceled) || !strings.Contains(err.Error(), "the client is closed") {
		t.Error(err)
	}
}

// certified makes a certificate for a host, signed by itself, and what trusts it.
func certified(t *testing.T, host string) (tls.Certificate, *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	of := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour)}
	if ip := net.ParseIP(host); ip != nil {
		of.IPAddresses = []net.IP{ip}
	} else {
		of.DNSNames = []string{host}
	}
	der, err := x509.CreateCertificate(rand.Reader, of, of, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	parsed, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	trusted := x509.NewCertPool()
	trusted.AddCert(parsed)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, trusted
}

func TestTLSAndTokens(t *testing.T) {
	t.Parallel()
	certificate, trusted := certified(t, "127.0.0.1")
	service := serve(t, grpc.Creds(credentials.NewServerTLSFromCert(&certificate)))
	s := service.client(t, WithTLS(&tls.Config{RootCAs: trusted}), token("secret", nil)).Session()
	read(t, s)
	write(t, s)
	if strings.Join(service.tokens, ",") != "Bearer secret,Bearer secret" {
		t.Errorf("the tokens were %q", service.tokens)
	}

	_, err := service.client(t, WithTLS(nil), token("", errors.New("no token today"))).Session().GetCustomer(t.Context(), nil)
	if !errors.Is(err, ErrUnavailable) || !strings.Contains(err.Error(), "nobody who is trusted") {
		t.Error(err)
	}
	_, err = service.client(t, WithTLS(&tls.Config{RootCAs: trusted}), token("", errors.New("no token today"))).Session().GetCustomer(t.Context(), nil)
	if status.Code(err) != codes.Unauthenticated || !strings.Contains(err.Error(), "the token could not be had") || !strings.Contains(err.Error(), "no token today") {
		t.Error(err)
	}
}

// With TLS each address has to show a certificate for its own host, not for the first one's.
func TestACertificateForAnotherName(t *testing.T) {
	t.Parallel()
	certificate, trusted := certified(t, "localhost")
	service := serve(t, grpc.Creds(credentials.NewServerTLSFromCert(&certificate)))
	_, err := service.client(t, WithTLS(&tls.Config{RootCAs: trusted})).Session().GetCustomer(t.Context(), nil)
	if !errors.Is(err, ErrUnavailable) || !strings.Contains(err.Error(), "the certificate is for another name") {
		t.Error(err)
	}

	_, port, _ := net.SplitHostPort(service.address)
	for range 8 {
		addresses := []string{service.address, net.JoinHostPort("localhost", port)}
		read(t, quick(t, addresses, WithTLS(&tls.Config{RootCAs: trusted})).Session())
	}
}
