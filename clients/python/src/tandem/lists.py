"""Goes through lists: page after page, or row after row."""

from collections.abc import Iterator
from typing import Any, overload

from tandem.v1 import model_pb2 as model
from tandem.v1 import query_pb2 as query

# By a list's request: the session's method that reads a page, and where the page has its rows.
_LISTS = {
    query.ListCustomersRequest: ("list_customers", "customers"),
    query.ListOrdersRequest: ("list_orders", "orders"),
    query.ListCustomerOrdersRequest: ("list_customer_orders", "customer_orders"),
    query.ListGreetingsRequest: ("list_greetings", "greetings"),
    query.ListRejectsRequest: ("list_rejects", "rejects"),
    query.GetCustomerOrdersRequest: ("get_customer_orders", "orders"),
}


class Lists:
    """What a session has for lists; the request says which list it is."""

    @overload
    def rows(
        self, request: query.ListCustomersRequest, *, timeout: float | None = None
    ) -> Iterator[model.Customer]: ...
    @overload
    def rows(
        self, request: query.ListOrdersRequest, *, timeout: float | None = None
    ) -> Iterator[model.Order]: ...
    @overload
    def rows(
        self, request: query.ListCustomerOrdersRequest, *, timeout: float | None = None
    ) -> Iterator[model.CustomerOrder]: ...
    @overload
    def rows(
        self, request: query.ListGreetingsRequest, *, timeout: float | None = None
    ) -> Iterator[model.Greeting]: ...
    @overload
    def rows(
        self, request: query.ListRejectsRequest, *, timeout: float | None = None
    ) -> Iterator[query.Reject]: ...
    @overload
    def rows(
        self, request: query.GetCustomerOrdersRequest, *, timeout: float | None = None
    ) -> Iterator[model.Order]: ...
    def rows(self, request: Any, *, timeout: float | None = None) -> Iterator[Any]:
        """Go through the rows of a list, or the orders of a customer, from the request's `page_token` on.

        The next page is asked for when the one before is used up; `timeout` is for each, in seconds.
        A page that can't be had is raised as a `TandemError`.
        """
        _, field = _list_of(request)
        return (row for page in self.pages(request, timeout=timeout) for row in getattr(page, field))

    @overload
    def pages(
        self, request: query.ListCustomersRequest, *, timeout: float | None = None
    ) -> Iterator[query.ListCustomersResponse]: ...
    @overload
    def pages(
        self, request: query.ListOrdersRequest, *, timeout: float | None = None
    ) -> Iterator[query.ListOrdersResponse]: ...
    @overload
    def pages(
        self, request: query.ListCustomerOrdersRequest, *, timeout: float | None = None
    ) -> Iterator[query.ListCustomerOrdersResponse]: ...
    @overload
    def pages(
        self, request: query.ListGreetingsRequest, *, timeout: float | None = None
    ) -> Iterator[query.ListGreetingsResponse]: ...
    @overload
    def pages(
        self, request: query.ListRejectsRequest, *, timeout: float | None = None
    ) -> Iterator[query.ListRejectsResponse]: ...
    @overload
    def pages(
        self, request: query.GetCustomerOrdersRequest, *, timeout: float | None = None
    ) -> Iterator[query.GetCustomerOrdersResponse]: ...
    def pages(self, request: Any, *, timeout: float | None = None) -> Iterator[Any]:
        """Go through the pages of a list, or of a customer's orders; otherwise like `rows`."""
        method, _ = _list_of(request)
        read = getattr(self, method)
        asked = type(request)()
        asked.CopyFrom(request)

        def each() -> Iterator[Any]:
            while True:
                page = read(asked, timeout=timeout)
                yield page
                if not page.next_page_token:
                    return
                asked.page_token = page.next_page_token

        return each()


def _list_of(request: Any) -> tuple[str, str]:
    found = _LISTS.get(type(request))
    if not found:
        names = ", ".join(kind.__name__ for kind in _LISTS)
        raise TypeError(f"{type(request).__name__} asks for no list; these do: {names}")
    return found
