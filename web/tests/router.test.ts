// Deep links mean what they say, whatever an id is made of.
import { expect, test } from "vitest";
import { customerHash, DEFAULT_SIZE, listHash, parseHash } from "../src/router";

test("no hash, and one that names no view, is the customers", () => {
  for (const hash of ["", "#", "#/", "#/nowhere", "#content"]) {
    const route = parseHash(hash);
    expect(route.view).toBe("customers");
    expect(route.customerId).toBeUndefined();
  }
});

test("any customer id comes back as it was", () => {
  for (const id of ["ada", "a/b", "a?b#c", "100%", "%2F", "..", "Ünï 漢", "a&b=c+d", " "]) {
    expect(parseHash(customerHash(id))).toMatchObject({ view: "customers", customerId: id });
  }
});

test("an id typed by hand is taken as it stands", () => {
  expect(parseHash("#/customers/100%").customerId).toBe("100%");
});

test("a list's page comes back as it was", () => {
  const listing = { sort: "time-desc", size: 100, page: "a+b/c==&d" };
  expect(parseHash(listHash("orders", listing))).toEqual({ view: "orders", listing });
});

test("what is the default is not in the address", () => {
  expect(listHash("orders", { size: DEFAULT_SIZE, page: "", sort: "" })).toBe("#/orders");
});

test("a page size that isn't offered is the default", () => {
  expect(parseHash("#/orders?size=7").listing.size).toBe(DEFAULT_SIZE);
  expect(parseHash("#/orders?size=x").listing.size).toBe(DEFAULT_SIZE);
});
