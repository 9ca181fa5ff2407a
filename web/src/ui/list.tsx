// A list in pages: loads the page that the address names and says what state it is in.
import type { ComponentChildren } from "preact";
import { useEffect, useRef } from "preact/hooks";
import type { Served } from "../gen/tandem/v1/query_pb";
import { ask, type QueryCall } from "../grpc/queries";
import type { Reading } from "../grpc/receipts";
import { listHash, type Route } from "../router";
import { usePageOfList } from "../state/page-of-list";
import { counted, listed } from "../words";
import { DataTable, type Column, type RowAttributes } from "./data-table";
import { FaultNote } from "./fault-note";
import { Pager } from "./pager";

/** What every list's answer has. */
interface Page {
  nextPageToken: string;
  unreachableShards: number[];
  served?: Served | undefined;
}

/** What every list's request has. */
export interface PageRequest {
  pageSize: number;
  pageToken: string;
  allowPartial: true;
  freshness: { receipts: string[] };
}

interface Props<A extends Page, R> {
  name: string;
  route: Route;
  reading: Reading;
  call(
    client: Parameters<QueryCall<A>>[0],
    request: PageRequest,
    options: Parameters<QueryCall<A>>[2],
  ): Promise<A>;
  rows(answer: A): readonly R[];
  columns: readonly Column<R>[];
  about(row: R): RowAttributes;
  /** What is said when there is no row at all. */
  empty: string;
  /** Counts up when this page wrote something that the list shows. */
  writes?: number;
  children?: ComponentChildren;
}

export function List<A extends Page, R>(props: Props<A, R>) {
  const { name, route, reading, columns, about, writes = 0 } = props;
  const { listing, view } = route;
  const key = JSON.stringify([listing.page, listing.size, listing.sort, writes]);
  const page = usePageOfList<A>(key, (signal) =>
    ask(
      reading,
      (client, freshness, options) => {
        const pages = { pageSize: listing.size, pageToken: listing.page };
        return props.call(client, { ...pages, allowPartial: true, freshness }, options);
      },
      signal,
    ),
  );
  const rows = page.answer ? props.rows(page.answer) : [];
  const missing = page.answer?.unreachableShards ?? [];
  const top = useRef<HTMLElement>(null);
  const shown = useRef(listing.page);
  // Leafing begins the page at its first row, also when the button was below the last one.
  useEffect(() => {
    if (shown.current !== listing.page) top.current?.scrollIntoView({ block: "start" });
    shown.current = listing.page;
  }, [listing.page]);

  return (
    <section class="list" aria-label={name} ref={top}>
      <Toolbar
        route={route}
        next={page.answer?.nextPageToken ?? ""}
        again={page.again}
        loading={page.loading}
      >
        {props.children}
      </Toolbar>
      {page.fault && (
        <FaultNote fault={page.fault} again={page.again}>
          {listing.page && page.fault.fields.has("page_token") ? (
            <a href={listHash(view, { ...listing, page: "" })}>Begin with the first page</a>
          ) : null}{" "}
        </FaultNote>
      )}
      {missing.length > 0 && (
        <p class="note warn" role="status" data-testid="partial">
          Rows of {missing.length === 1 ? "shard" : "shards"} {listed(missing)} are missing: no
          instance serves {missing.length === 1 ? "it" : "them"} just now. This page asks again.
        </p>
      )}
      {rows.length > 0 && (
        <DataTable name={name} columns={columns} rows={rows} about={about} busy={page.loading} />
      )}
      {page.answer && rows.length === 0 && (
        <p class="note" data-testid="empty">
          {listing.page ? "This page has no rows." : props.empty}
        </p>
      )}
      {page.loading && !page.answer && (
        <p class="note" role="status" data-testid="loading">
          Loading …
        </p>
      )}
      <p class="unseen" role="status">
        {page.answer && !page.loading ? counted(rows.length, "row") : ""}
      </p>
    </section>
  );
}

interface ToolbarProps {
  route: Route;
  next: string;
  again(): void;
  loading: boolean;
  children?: ComponentChildren;
}

function Toolbar({ route, next, again, loading, children }: ToolbarProps) {
  return (
    <div class="toolbar">
      {children}
      <Pager view={route.view} listing={route.listing} next={next} />
      <button type="button" class="quiet" onClick={again} aria-disabled={loading}>
        Refresh
      </button>
    </div>
  );
}

