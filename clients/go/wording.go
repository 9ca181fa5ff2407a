// Words for what went wrong when nobody from Tandem answered. gRPC's own are kept behind them.

package tandem

import (
	"strings"

	"google.golang.org/grpc/codes"
)

// What gRPC and Go's network and TLS code say, and what is the matter then. The first that fits.
var matters = []struct{ said, matter string }{
	// Before all that may be the matter with the token's own source.
	{"per-RPC creds failed", "the token could not be had"},
	{"client connection is closing", "the client is closed"},
	{"certificate is valid for", "the certificate is for another name"},
	{"not valid for any names", "the certificate is for another name"},
	{"doesn't contain any IP SANs", "the certificate is for another name"},
	{"signed by unknown authority", "the certificate is signed by nobody who is trusted here; give WithTLS its authority"},
	{"certificate has expired", "the certificate is not valid at this time"},
	{"does not look like a TLS handshake", "no TLS is spoken there; leave WithTLS out, or use another address"},
	{"error reading server preface", "no gRPC is spoken there, or TLS is; add WithTLS, or use another address"},
	{"connection refused", "nothing listens there"},
	{"no such host", "there is no such host"},
}

func unanswered(code codes.Code, said string) string {
	for _, known := range matters {
		if strings.Contains(said, known.said) {
			return known.matter + " (" + said + ")"
		}
	}
	switch {
	case code == codes.DeadlineExceeded:
		return "not answered in time; whether the call took effect is not known (" + said + ")"
	case code == codes.Canceled:
		return "canceled by the caller; whether the call took effect is not known (" + said + ")"
	case said == "":
		return "failed without a word"
	}
	return said
}
