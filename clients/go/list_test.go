// Checks how lists are gone through.

package tandem

import (
	"errors"
	"slices"
	"testing"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	pb "tandem.example/client/tandem/v1"
)

func TestRowsAndPages(t *testing.T) {
	t.Parallel()
	service := serve(t)
	orders := service.client(t).Session("kept").ListOrders(t.Context(), nil)
	if service.tries != 0 {
		t.Error("asked before it was ranged over")
	}
	for range 2 { // each range begins anew
		var rows []string
		for order, err := range orders.Rows() {
			if err != nil {
				t.Fatal(err)
			}
			rows = append(rows, order.OrderId)
		}
		var pages []int
		for page, err := range orders.Pages() {
			if err != nil {
				t.Fatal(err)
			}
			pages = append(pages, len(page.Orders))
		}
		if !slices.Equal(rows, []string{"1", "2", "3", "4", "5"}) || !slices.Equal(pages, []int{2, 0, 2, 1}) {
			t.Errorf("rows %q, pages %v", rows, pages)
		}
	}
	for _, shown := range service.shown {
		if !slices.Equal(shown, []string{"kept"}) {
			t.Errorf("a page showed %q", shown)
		}
	}
}

func TestARangeThatIsLeftAsksForNoMore(t *testing.T) {
	t.Parallel()
	service := serve(t)
	for range service.client(t).Session().ListOrders(t.Context(), nil).Rows() {
		break
	}
	if service.tries != 1 {
		t.Errorf("asked %d times", service.tries)
	}
}

func TestAnErrorEndsARange(t *testing.T) {
	t.Parallel()
	service := serve(t)
	service.refuse = func(try int) error {
		if try > 1 {
			return status.Error(codes.Internal, "a fault of the service")
		}
		return nil
	}
	orders := service.client(t).Session().ListOrders(t.Context(), &pb.ListOrdersRequest{})
	var rows int
	var last error
	for order, err := range orders.Rows() {
		if last != nil {
			t.Error("went on after an error")
		}
		if last = err; order != nil {
			rows++
		}
	}
	var fault *Error
	if rows != 2 || !errors.As(last, &fault) || fault.Code != codes.Internal {
		t.Errorf("%d rows, then %v", rows, last)
	}
}
