// The query services as they are now, drawn as each of them announces itself.
import { useLayoutEffect, useRef, useState } from "preact/hooks";
import type { Instance } from "../gen/tandem/v1/query_pb";
import { ask } from "../grpc/queries";
import { useRouting } from "../state/routing";
import { lastAnswer } from "../state/served";
import { replicaSets, unanswered } from "../state/shards";
import { ClusterPicture } from "../ui/cluster-picture";
import { FaultNote } from "../ui/fault-note";
import { Heading } from "../ui/heading";
import { IgnoredTable, InstancesTable } from "../ui/instances-table";
import { WatchState } from "../ui/watch-state";
import { counted, listed } from "../words";

export function ClusterView() {
  const [{ told, routing, state }, again] = useRouting();
  const [frame, width] = useWidth();
  const summary = told ? summaryOf(told.instances, told.shardCount) : "";
  const missing = told ? unanswered(told.instances, told.shardCount) : [];
  return (
    <>
      <Heading text="Cluster">
        <WatchState state={state} />
      </Heading>
      <div class="toolbar">
        <p class="lead" role="status">
          {summary}
        </p>
        <AskOnce />
      </div>
      {missing.length > 0 && (
        <p class="note warn">
          No instance answers for {missing.length === 1 ? "shard" : "shards"} {listed(missing)} just
          now.
        </p>
      )}
      {state.name === "reconnecting" && state.fault && !told && (
        <FaultNote fault={state.fault} again={again} />
      )}
      {!told && state.name !== "reconnecting" && (
        <p class="note" role="status" data-testid="loading">
          Loading …
        </p>
      )}
      <div ref={frame} class={state.name === "live" ? "picture" : "picture old"}>
        {told && width > 0 && (
          <ClusterPicture
            routing={routing}
            width={width}
            summary={summary}
            answered={lastAnswer.value?.instance}
          />
        )}
      </div>
      {told && (
        <>
          <InstancesTable instances={replicaSets(told.instances).flatMap((set) => set.instances)} />
          <IgnoredTable ignored={told.ignored} />
        </>
      )}
    </>
  );
}

function summaryOf(instances: readonly Instance[], shardCount: number): string {
  const sets = counted(replicaSets(instances).length, "replica set");
  const answered = shardCount - unanswered(instances, shardCount).length;
  return `${counted(instances.length, "instance")} in ${sets}; ${answered} of ${counted(shardCount, "shard")} answered for.`;
}

/** Asks a query, for who wants to see where it is answered. */
function AskOnce() {
  const [said, setSaid] = useState("");
  const asking = useRef(false);
  return (
    <div class="ask">
      <button
        type="button"
        onClick={async () => {
          if (asking.current) return;
          asking.current = true;
          try {
            await ask(
              { kinds: [] },
              (client, _, options) =>
                client.listCustomers({ pageSize: 1, allowPartial: true }, options),
              new AbortController().signal,
            );
            setSaid(`${lastAnswer.value?.instance} answered.`);
          } catch {
            setSaid("No query service answered.");
          } finally {
            asking.current = false;
          }
        }}
      >
        Ask a query
      </button>
      <span role="status">{said}</span>
    </div>
  );
}

/** The width that the picture has, followed as it changes. */
function useWidth() {
  const frame = useRef<HTMLDivElement>(null);
  const [width, setWidth] = useState(0);
  useLayoutEffect(() => {
    const measure = () => setWidth(Math.floor(frame.current?.clientWidth ?? 0));
    measure();
    const observer = new ResizeObserver(measure);
    observer.observe(frame.current!);
    return () => observer.disconnect();
  }, []);
  return [frame, width] as const;
}
