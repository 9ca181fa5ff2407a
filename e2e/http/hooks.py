"""Schemathesis makes values up from what /openapi.json says of their form. Some values of Tandem have
to be had from it, or depend on time: they are put in here, where the request would be a good one
otherwise. Which requests get them depends on nothing but the request, so all runs are alike."""

import json
import re
import urllib.request

import schemathesis

# Such a time may be too short for any answer, or a view never that fresh; then it is not a fault
# to say so, and waiting for it is long.
DURATIONS = ("max_staleness", "timeout")
WELL_FORMED = re.compile(r"[0-9]{1,9}(ms|s|m)")
ENOUGH = "10s"

# Where there are rows for the `id` in a path, and which of their fields it is.
ROWS = {
    "/store/customer/{id}": ("customers", "customerId"),
    "/store/customer-order/{id}": ("customers", "customerId"),
    "/store/order/{id}": ("orders", "orderId"),
}


@schemathesis.hook
def before_call(context, case, kwargs):
    query = case.query
    for name in DURATIONS:
        if isinstance(query.get(name), str) and WELL_FORMED.fullmatch(query[name]):
            query[name] = ENOUGH
    if case.meta is not None and case.meta.generation.mode.is_negative:
        return  # a token that was made up is one fault more
    # A token belongs to the request whose page it followed.
    query.pop("page_token", None)
    if query.get("receipt"):
        query["receipt"] = [asked(case, "customers")["served"]["position"]]
    if case.operation.path in ROWS:
        take_row(case, *ROWS[case.operation.path])


def take_row(case, rows, field):
    """Every other request is for what is there."""
    made_up = str(case.path_parameters["id"]).encode()
    there = asked(case, rows)[rows]
    if sum(made_up) % 2 == 0 and there:
        row = there[sum(made_up) % len(there)]
        case.path_parameters["id"] = row[field]
        if "customer_id" in case.query:
            case.query["customer_id"] = row["customerId"]


def asked(case, rows):
    """The first rows of a list."""
    url = f"{case.operation.base_url}/store/{rows}?page_size=20"
    with urllib.request.urlopen(url, timeout=10) as answer:
        return json.load(answer)
