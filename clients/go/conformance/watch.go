// Ranges over a watch, so that steps can ask for one document after another.

package main

import (
	"context"
	"encoding/json"
	"time"

	pb "tandem.example/client/tandem/v1"
)

type watch struct {
	cancel context.CancelFunc
	found  chan found
}

type found struct {
	document *pb.WatchCustomerOrdersResponse
	err      error
}

func openWatch(s *session, text json.RawMessage) (*watch, error) {
	request, err := read[pb.WatchCustomerOrdersRequest](text)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(context.Background())
	w := &watch{cancel, make(chan found)}
	documents := s.WatchCustomerOrders(ctx, request)
	go func() {
		defer close(w.found)
		for document, err := range documents {
			select {
			case w.found <- found{document, err}:
			case <-ctx.Done():
			}
		}
	}()
	return w, nil
}

func (w *watch) next(within time.Duration) (object, error) {
	select {
	case next, more := <-w.found:
		if !more {
			return object{"ended": true}, nil
		}
		if next.err != nil {
			return failed(next.err)
		}
		return one(next.document)
	case <-time.After(within):
		return object{"nothing": true}, nil
	}
}
