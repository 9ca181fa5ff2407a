// Turns the address's hash into the view it names and back, so that every view has a deep link
// and a reload shows the same page.

/** The views that the navigation leads to. */
export const VIEWS = [
  { view: "customers", title: "Customers" },
  { view: "orders", title: "Orders" },
  { view: "customer-orders", title: "Customer orders" },
  { view: "greetings", title: "Greetings" },
  { view: "cluster", title: "Cluster" },
  { view: "rejects", title: "Rejects" },
] as const;

export type View = (typeof VIEWS)[number]["view"];

/** Which page of a list is shown: what of the list's state a reload has to keep. */
export interface Listing {
  /** The page token; empty is the first page. */
  page: string;
  size: number;
  /** How the list is sorted, in the address's words; empty is the list's default. */
  sort: string;
}

export interface Route {
  view: View;
  /** Set on `#/customers/{customer_id}` only. */
  customerId?: string;
  listing: Listing;
}

export const SIZES = [25, 50, 100, 500] as const;
export const DEFAULT_SIZE = 50;

/** The route of a hash; of one that names no view, the default. */
export function parseHash(hash: string): Route {
  const [path = "", query = ""] = split(hash.replace(/^#/, ""), "?");
  const [, first = "", ...rest] = path.split("/");
  const listing = parseListing(new URLSearchParams(query));
  const known = VIEWS.find(({ view }) => view === first);
  if (!known) return { view: "customers", listing };
  const customerId = known.view === "customers" ? decoded(rest.join("/")) : "";
  return customerId ? { view: "customers", customerId, listing } : { view: known.view, listing };
}

/** The hash of a list's page. What is the default is left out, so that addresses stay short. */
export function listHash(view: View, listing: Partial<Listing> = {}): string {
  const query = new URLSearchParams();
  if (listing.sort) query.set("sort", listing.sort);
  if (listing.size && listing.size !== DEFAULT_SIZE) query.set("size", String(listing.size));
  if (listing.page) query.set("page", listing.page);
  const words = query.toString();
  return `#/${view}${words ? `?${words}` : ""}`;
}

export function customerHash(customerId: string): string {
  // A customer's id may be "." or "..": encodeURIComponent keeps them, and in a hash nothing
  // resolves them.
  return `#/customers/${encodeURIComponent(customerId)}`;
}

function parseListing(query: URLSearchParams): Listing {
  const size = Number(query.get("size"));
  return {
    page: query.get("page") ?? "",
    size: SIZES.some((known) => known === size) ? size : DEFAULT_SIZE,
    sort: query.get("sort") ?? "",
  };
}

function split(text: string, at: string): [string, string] {
  const found = text.indexOf(at);
  return found < 0 ? [text, ""] : [text.slice(0, found), text.slice(found + 1)];
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    // Typed by hand, as "100%": what was meant is what stands there.
    return text;
  }
}
