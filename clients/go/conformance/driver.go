// Does each kind of step.

package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"os"
	"time"

	"tandem.example/client"
)

// A step is one line of input: the fields of all ops together.
type step struct {
	Op, Name, Command string
	Query             []string
	TLS               *struct{ CA string }
	Token             *string
	TimeoutMs         *int64
	CancelAfterMs     *int64
	Client, Session   string
	Receipts          []string
	Method            string
	Request           json.RawMessage
	Limit             *int
	Watch             string
	WithinMs          int64
}

type object map[string]any

type driver struct {
	clients  map[string]*tandem.Client
	sessions map[string]*tandem.Session
	watches  map[string]*watch
}

func newDriver() *driver {
	return &driver{map[string]*tandem.Client{}, map[string]*tandem.Session{}, map[string]*watch{}}
}

// do answers a step. The error is for what a driver doesn't know.
func (d *driver) do(told *step) (object, error) {
	switch told.Op {
	case "client":
		return d.client(told)
	case "session":
		client, err := named(d.clients, told.Client)
		if err != nil {
			return nil, err
		}
		d.sessions[told.Name] = client.Session(told.Receipts...)
		return object{"ok": true}, nil
	case "receipts":
		session, err := named(d.sessions, told.Session)
		if err != nil {
			return nil, err
		}
		return object{"receipts": session.Receipts()}, nil
	case "call", "rows", "pages":
		return d.call(told)
	case "watch":
		session, err := named(d.sessions, told.Session)
		if err != nil {
			return nil, err
		}
		d.watches[told.Name], err = openWatch(session, told.Request)
		return object{"ok": true}, err
	case "next":
		watch, err := named(d.watches, told.Watch)
		if err != nil {
			return nil, err
		}
		return watch.next(time.Duration(told.WithinMs) * time.Millisecond)
	case "cancel":
		watch, err := named(d.watches, told.Watch)
		if err != nil {
			return nil, err
		}
		watch.cancel()
		return object{"ok": true}, nil
	case "close":
		client, err := named(d.clients, told.Client)
		if err != nil {
			return nil, err
		}
		return told.answered(object{"ok": true}, client.Close())
	}
	return nil, fmt.Errorf("there is no op %q", told.Op)
}

func named[T any](all map[string]T, name string) (T, error) {
	found, ok := all[name]
	if !ok {
		return found, fmt.Errorf("there is no %T named %q", found, name)
	}
	return found, nil
}

func (told *step) answered(answer object, err error) (object, error) {
	if err != nil {
		return failed(err)
	}
	return answer, nil
}

func (d *driver) client(told *step) (object, error) {
	var opts []tandem.Option
	if told.TLS != nil {
		config := &tls.Config{}
		if told.TLS.CA != "" {
			pem, err := os.ReadFile(told.TLS.CA)
			if err != nil {
				return nil, err
			}
			config.RootCAs = x509.NewCertPool()
			if !config.RootCAs.AppendCertsFromPEM(pem) {
				return nil, fmt.Errorf("%s has no certificate", told.TLS.CA)
			}
		}
		opts = append(opts, tandem.WithTLS(config))
	}
	if told.Token != nil {
		opts = append(opts, tandem.WithFixedToken(*told.Token))
	}
	if told.TimeoutMs != nil {
		opts = append(opts, tandem.WithTimeout(time.Duration(*told.TimeoutMs)*time.Millisecond))
	}
	client, err := tandem.Dial(told.Command, told.Query, opts...)
	if err != nil {
		return failed(err)
	}
	d.clients[told.Name] = client
	return object{"ok": true}, nil
}

func (d *driver) call(told *step) (object, error) {
	session, err := named(d.sessions, told.Session)
	if err != nil {
		return nil, err
	}
	do, ok := map[string]map[string]method{"call": calls, "rows": rows, "pages": pages}[told.Op][told.Method]
	if !ok {
		return nil, fmt.Errorf("there is no method %q for %s", told.Method, told.Op)
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	if told.TimeoutMs != nil {
		ctx, cancel = context.WithTimeout(ctx, time.Duration(*told.TimeoutMs)*time.Millisecond)
		defer cancel()
	}
	if told.CancelAfterMs != nil {
		defer time.AfterFunc(time.Duration(*told.CancelAfterMs)*time.Millisecond, cancel).Stop()
	}
	return do(ctx, session, told)
}
