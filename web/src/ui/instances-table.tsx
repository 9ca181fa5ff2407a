// Says as tables what the cluster's picture shows, with the details it has no room for.
import { IgnoredReason, type Ignored, type Instance } from "../gen/tandem/v1/query_pb";
import { sentence } from "../grpc/faults";
import { shardSentence } from "../state/shards";
import { count, millis, span } from "../words";
import { DataTable, type Column } from "./data-table";

const INSTANCES: readonly Column<Instance>[] = [
  { head: "Instance", kind: "id", cell: ({ instanceId }) => instanceId },
  { head: "Replica set", kind: "id", cell: ({ replicaSet }) => replicaSet },
  { head: "Zone", cell: ({ zone }) => zone || "none" },
  { head: "Address", kind: "id", cell: ({ address }) => address },
  { head: "Version", kind: "id", cell: ({ version }) => version },
  { head: "Heard", cell: ({ heard }) => heardWords(heard ? millis(heard) : 0) },
  {
    head: "Shards",
    cell: ({ shards }) =>
      shards.length === 0 ? (
        "none"
      ) : (
        <ul class="plain">
          {shards.map((shard) => (
            <li key={shard.shard}>{shardSentence(shard)}</li>
          ))}
        </ul>
      ),
  },
  {
    head: "Rejects",
    kind: "figure",
    cell: ({ shards }) => count(shards.reduce((sum, { rejects }) => sum + rejects, 0n)),
  },
];

export function InstancesTable({ instances }: { instances: readonly Instance[] }) {
  return (
    <DataTable
      name="Instances"
      columns={INSTANCES}
      rows={instances}
      about={({ instanceId }) => ({ key: instanceId, "data-instance-row": instanceId })}
    />
  );
}

const REASONS: Record<IgnoredReason, string> = {
  [IgnoredReason.UNSPECIFIED]: "not said",
  [IgnoredReason.OTHER_VERSION]: "other version",
  [IgnoredReason.OTHER_LOG]: "other log",
  [IgnoredReason.ADDRESS_TAKEN]: "address taken",
  [IgnoredReason.ID_TAKEN]: "id taken",
  [IgnoredReason.FORGED_HEADER]: "forged header",
  [IgnoredReason.UNREADABLE]: "unreadable",
};

const IGNORED: readonly Column<Ignored>[] = [
  {
    head: "Reason",
    cell: ({ reason }) => <span class="tag">{REASONS[reason] ?? `reason ${reason}`}</span>,
  },
  { head: "From", kind: "id", cell: ({ instanceId }) => instanceId || "a call" },
  { head: "What it is, and what to do", cell: ({ detail }) => sentence(detail) },
  { head: "Times", kind: "figure", cell: ({ count: times }) => count(times) },
];

/** What the instance that tells ignores; nothing when that is nothing. */
export function IgnoredTable({ ignored }: { ignored: readonly Ignored[] }) {
  if (ignored.length === 0) return null;
  return (
    <DataTable
      name="Ignored"
      columns={IGNORED}
      rows={ignored}
      about={({ instanceId, reason, detail }) => ({
        key: JSON.stringify([instanceId, reason, detail]),
        "data-testid": "ignored-row",
      })}
    />
  );
}

function heardWords(ms: number): string {
  return ms < 1500 ? "just now" : `${span(ms)} ago`;
}
