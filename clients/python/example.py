"""Registers a customer, places orders, and reads, watches and lists them on a running Tandem."""

import os
import sys
from itertools import islice

import tandem
from tandem.v1 import command_pb2 as command
from tandem.v1 import query_pb2 as query

COMMAND = os.environ.get("TANDEM_COMMAND", "127.0.0.1:8090")
QUERY = os.environ.get("TANDEM_QUERY", "127.0.0.1:8095,127.0.0.1:8096,127.0.0.1:8097").split(",")


def tell(client: tandem.Client) -> None:
    """Go through what the client can do."""
    session = client.session()
    registration = command.CreateCustomerRequest(first_name="Ada", last_name="Lovelace")
    ada = session.create_customer(registration).customer
    print("registered", ada.first_name, ada.last_name)

    for item in ("Analytical Engine", "Punched cards", "Tea"):
        order = command.PlaceOrderRequest(customer_id=ada.customer_id, order_item_name=item)
        session.place_order(order)
    print("placed 3 orders")

    # Whoever knows the receipts reads what was written, at any instance.
    orders = query.GetCustomerOrdersRequest(customer_id=ada.customer_id)
    for address in QUERY:
        with tandem.Client(COMMAND, address) as other:
            seen = other.session(session.receipts).get_customer_orders(orders)
            if len(seen.orders) != 3:
                sys.exit(f"{address} has {len(seen.orders)} orders")
    name = f"{seen.customer.first_name} {seen.customer.last_name}"
    print(f"read 3 orders of {name} from each of {len(QUERY)} instances")

    watched = query.WatchCustomerOrdersRequest(customer_id=ada.customer_id)
    with session.watch_customer_orders(watched) as watch:
        print("watch:", len(next(watch).orders), "orders")
        order = command.PlaceOrderRequest(customer_id=ada.customer_id, order_item_name="Coffee")
        session.place_order(order)
        print("watch:", len(next(watch).orders), "orders")

    orders.page_size = 2
    print("pages of 2:", *(len(page.orders) for page in islice(session.pages(orders), 2)))

    try:
        session.place_order(command.PlaceOrderRequest())
    except tandem.InvalidArgument as error:
        print("refused:", error.reason)
        for field, description in error.violations:
            print(f"  {field} {description}")


if __name__ == "__main__":
    try:
        with tandem.Client(COMMAND, QUERY) as client:
            tell(client)
    except tandem.Unavailable as error:
        sys.exit(f"{error}; is Tandem running? Start it by: make run QUERY_INSTANCES=3")
    except (tandem.TandemError, tandem.ConfigurationError) as error:
        sys.exit(str(error))
