// Command example writes, reads what it wrote from every instance, and watches it change.
package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	"tandem.example/client"
	pb "tandem.example/client/tandem/v1"
)

func main() {
	command := cmp.Or(os.Getenv("TANDEM_COMMAND"), "127.0.0.1:8090")
	queries := strings.Split(cmp.Or(os.Getenv("TANDEM_QUERY"), "127.0.0.1:8095,127.0.0.1:8096,127.0.0.1:8097"), ",")
	ctx := context.Background()

	client := must(tandem.Dial(command, queries))
	defer client.Close()
	session := client.Session()

	ada := must(session.CreateCustomer(ctx, &pb.CreateCustomerRequest{FirstName: "Ada", LastName: "Lovelace"})).Customer
	fmt.Println("registered", ada.FirstName, ada.LastName)
	for _, item := range []string{"Engine", "Punched cards", "Tea"} {
		must(session.PlaceOrder(ctx, &pb.PlaceOrderRequest{CustomerId: ada.CustomerId, OrderItemName: item}))
	}
	fmt.Println("placed 3 orders")

	// The receipts of what was written make every instance answer with it.
	all := &pb.GetCustomerOrdersRequest{CustomerId: ada.CustomerId}
	for _, address := range queries {
		one := must(tandem.Dial(command, []string{address}))
		page := must(one.Session(session.Receipts()...).GetCustomerOrders(ctx, all).Page())
		if len(page.Orders) != 3 {
			must(0, fmt.Errorf("%s has %d orders, not 3", address, len(page.Orders)))
		}
		must(0, one.Close())
	}
	fmt.Printf("read 3 orders of Ada Lovelace from each of %d instances\n", len(queries))

	for document, err := range session.WatchCustomerOrders(ctx, &pb.WatchCustomerOrdersRequest{CustomerId: ada.CustomerId}) {
		must(document, err)
		fmt.Println("watch:", len(document.Orders), "orders")
		if len(document.Orders) > 3 {
			break
		}
		must(session.PlaceOrder(ctx, &pb.PlaceOrderRequest{CustomerId: ada.CustomerId, OrderItemName: "Coffee"}))
	}

	all.PageSize = 2
	fmt.Print("pages of 2:")
	for page, err := range session.GetCustomerOrders(ctx, all).Pages() {
		fmt.Print(" ", len(must(page, err).Orders))
	}
	fmt.Println()

	var refused *tandem.Error
	if _, err := session.PlaceOrder(ctx, &pb.PlaceOrderRequest{}); errors.As(err, &refused) {
		fmt.Println("refused:", refused.Reason)
		for _, violation := range refused.Violations {
			fmt.Println(" ", violation.Field, violation.Description)
		}
	}
}

func must[T any](value T, err error) T {
	if errors.Is(err, tandem.ErrUnavailable) {
		err = fmt.Errorf("%w. Is Tandem running? `make run QUERY_INSTANCES=3` starts it", err)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	return value
}
