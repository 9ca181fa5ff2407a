//go:build unix

// Command bench measures what the layer costs: the CPU time of reads through the plain stub and
// through a session, in alternating blocks, since what else the machine does changes with time.
package main

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"syscall"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	"tandem.example/client"
	pb "tandem.example/client/tandem/v1"
)

const (
	reads  = 10_000
	block  = 500
	warmup = 2_000
	rounds = 5
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: bench.sh HOST:PORT (a query service; TANDEM_COMMAND is the command service)")
		os.Exit(2)
	}
	if err := measure(os.Args[1], cmp.Or(os.Getenv("TANDEM_COMMAND"), "127.0.0.1:8090")); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func measure(query, command string) error {
	ctx := context.Background()
	client, err := tandem.Dial(command, []string{query})
	if err != nil {
		return err
	}
	defer client.Close()
	session := client.Session()
	written, err := session.CreateCustomer(ctx, &pb.CreateCustomerRequest{FirstName: "Ada", LastName: "Lovelace"})
	if err != nil {
		return err
	}
	id := written.Customer.CustomerId

	connection, err := grpc.NewClient(query, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		return err
	}
	defer connection.Close()
	stub := pb.NewQueryServiceClient(connection)

	throughStub := func() error {
		ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
		defer cancel()
		_, err := stub.GetCustomer(ctx, &pb.GetCustomerRequest{
			CustomerId: id, Freshness: &pb.Freshness{Receipts: []string{written.Receipt}},
		})
		return err
	}
	throughSession := func() error {
		_, err := session.GetCustomer(ctx, &pb.GetCustomerRequest{CustomerId: id})
		return err
	}

	if _, err := cpu(warmup, throughStub); err != nil {
		return err
	}
	if _, err := cpu(warmup, throughSession); err != nil {
		return err
	}
	var plain, layer, ratios []float64
	for i := range rounds * reads / block {
		// Who goes first changes, so that neither pays more often for what the other left behind.
		var p, l float64
		var err error
		if i%2 == 0 {
			p, err = cpu(block, throughStub)
		}
		if err == nil {
			l, err = cpu(block, throughSession)
		}
		if err == nil && i%2 == 1 {
			p, err = cpu(block, throughStub)
		}
		if err != nil {
			return err
		}
		plain, layer, ratios = append(plain, p), append(layer, l), append(ratios, l/p)
	}
	return json.NewEncoder(os.Stdout).Encode(struct {
		Language string  `json:"language"`
		Plain    float64 `json:"plain_us"`
		Layer    float64 `json:"layer_us"`
		Ratio    float64 `json:"ratio"`
	}{"go", median(plain), median(layer), median(ratios)})
}

// cpu is the CPU time of a call in microseconds, user and system, of all threads.
func cpu(calls int, call func() error) (float64, error) {
	before, err := used()
	if err != nil {
		return 0, err
	}
	for range calls {
		if err := call(); err != nil {
			return 0, err
		}
	}
	after, err := used()
	return float64((after - before).Microseconds()) / float64(calls), err
}

func used() (time.Duration, error) {
	var usage syscall.Rusage
	err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage)
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano()), err
}

func median(of []float64) float64 {
	sorted := slices.Sorted(slices.Values(of))
	return sorted[len(sorted)/2]
}
