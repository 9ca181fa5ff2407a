// The records that could not be folded into the view, and why.
import { RejectCode, type Reject } from "../gen/tandem/v1/query_pb";
import { sentence } from "../grpc/faults";
import type { Route } from "../router";
import type { Column } from "../ui/data-table";
import { Heading } from "../ui/heading";
import { List } from "../ui/list";
import { Time } from "../ui/time";

const CODES: Record<RejectCode, string> = {
  [RejectCode.UNSPECIFIED]: "not said",
  [RejectCode.WRONG_PARTITION]: "wrong partition",
  [RejectCode.KEY]: "key",
  [RejectCode.SCHEMA]: "schema",
  [RejectCode.VALUE]: "value",
  [RejectCode.NO_SUCH_ROW]: "no such row",
};

const COLUMNS: readonly Column<Reject>[] = [
  { head: "Topic", kind: "id", cell: ({ topic }) => topic },
  { head: "Partition", kind: "figure", cell: ({ partition }) => partition },
  { head: "Offset", kind: "figure", cell: ({ offset }) => String(offset) },
  { head: "Code", cell: ({ code }) => <span class="tag">{CODES[code] ?? `code ${code}`}</span> },
  { head: "Reason", cell: ({ reason }) => sentence(reason) },
  { head: "Time", kind: "id", cell: ({ timestamp }) => <Time of={timestamp} /> },
];

export function RejectsView({ route }: { route: Route }) {
  return (
    <>
      <Heading text="Rejects" />
      <p class="lead">
        Records that could not be folded into the view. Their bytes stay on the log; the reason says
        what to do about each.
      </p>
      <List
        name="Rejects"
        route={route}
        // What is cancelled without being there shows here.
        reading={{ kinds: ["customer", "order"] }}
        call={(client, request, options) => client.listRejects(request, options)}
        rows={({ rejects }) => rejects}
        columns={COLUMNS}
        about={({ topic, partition, offset }) => ({
          key: `${topic}/${partition}/${offset}`,
          "data-testid": "reject-row",
          "data-topic": topic,
          "data-partition": String(partition),
          "data-offset": String(offset),
        })}
        empty="Nothing was rejected: every record on the log was folded."
      />
    </>
  );
}
