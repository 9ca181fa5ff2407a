// Reads the service config, so that tries, pauses and deadlines are those that Tandem names.

package tandem

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"math"
	"time"
)

// The copy that gen.sh makes of the contract's own.
//
//go:embed service_config.json
var embedded []byte

// settings is what the service config says: what gRPC does itself, and what this package does.
type settings struct {
	// The config for gRPC. It has no timeouts: gRPC takes the lesser of that and of the caller's
	// deadline, so nobody could wait longer than that.
	forGRPC string
	timeout time.Duration
	pauses  pauses
}

// pauses are the pauses between tries; those of watches are made here.
type pauses struct {
	initial, longest time.Duration
	multiplier       float64
}

// after returns the pause after so many failures in a row, from 1 on. It is up to a fifth shorter
// or longer than it would be, by random (0 to 1), so that many clients don't call in step; gRPC
// does the same.
func (p pauses) after(failures int, random float64) time.Duration {
	pause := float64(p.initial) * math.Pow(p.multiplier, float64(failures-1))
	return time.Duration(min(pause, float64(p.longest)) * (0.8 + 0.4*random))
}

func readServiceConfig(text []byte) (settings, error) {
	var known struct {
		MethodConfig []struct {
			Timeout     string
			RetryPolicy *struct {
				InitialBackoff, MaxBackoff string
				BackoffMultiplier          float64
			}
		}
	}
	if err := json.Unmarshal(text, &known); err != nil {
		return settings{}, fmt.Errorf("service_config.json: %w", err)
	}
	var read settings
	for _, methods := range known.MethodConfig {
		if methods.Timeout == "" || methods.RetryPolicy == nil {
			continue
		}
		texts := []string{methods.Timeout, methods.RetryPolicy.InitialBackoff, methods.RetryPolicy.MaxBackoff}
		for i, into := range []*time.Duration{&read.timeout, &read.pauses.initial, &read.pauses.longest} {
			duration, err := time.ParseDuration(texts[i])
			if err != nil {
				return settings{}, fmt.Errorf("service_config.json: %w", err)
			}
			*into = duration
		}
		read.pauses.multiplier = methods.RetryPolicy.BackoffMultiplier
		var err error
		read.forGRPC, err = withoutTimeouts(text)
		return read, err
	}
	return settings{}, fmt.Errorf("service_config.json: it has no timeout with a retryPolicy; run gen.sh")
}

func withoutTimeouts(text []byte) (string, error) {
	var config map[string]any
	if err := json.Unmarshal(text, &config); err != nil {
		return "", err
	}
	methods, _ := config["methodConfig"].([]any)
	for _, method := range methods {
		if method, ok := method.(map[string]any); ok {
			delete(method, "timeout")
		}
	}
	shorter, err := json.Marshal(config)
	return string(shorter), err
}
