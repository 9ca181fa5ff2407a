// Puts the states of shards and how far they have read into the words that the picture, the table
// and the summary share.
import { ShardState, type Instance, type Shard } from "../gen/tandem/v1/query_pb";
import { age, count, millis } from "../words";

export type StateWord =
  "serving" | "restoring" | "draining" | "opening" | "failed" | "closed" | "unknown";

const WORDS: Record<ShardState, StateWord> = {
  [ShardState.UNSPECIFIED]: "unknown",
  [ShardState.OPENING]: "opening",
  [ShardState.RESTORING]: "restoring",
  [ShardState.SERVING]: "serving",
  [ShardState.DRAINING]: "draining",
  [ShardState.CLOSED]: "closed",
  [ShardState.FAILED]: "failed",
};

export function stateWord({ state }: Shard): StateWord {
  return WORDS[state] ?? "unknown";
}

/** Whether a shard answers queries: one that is about to move still does. */
export function answers({ state }: Shard): boolean {
  return state === ShardState.SERVING || state === ShardState.DRAINING;
}

/** How far a shard has folded all its inputs together. */
export function progress({ inputs }: Shard): { at: bigint; end: bigint; part: number } {
  const at = inputs.reduce((sum, { offset }) => sum + offset, 0n);
  const end = inputs.reduce((sum, { offset, end }) => sum + (end > offset ? end : offset), 0n);
  return { at, end, part: end === 0n ? 1 : Number(at) / Number(end) };
}

export function shardAge({ staleness }: Shard): string {
  return age(staleness && millis(staleness));
}

/** Everything about a shard in one sentence. */
export function shardSentence(shard: Shard): string {
  const { at, end } = progress(shard);
  const words = `Shard ${shard.shard}: ${stateWord(shard)}, ${shardAge(shard)}, folded ${count(at)} of ${count(end)} records`;
  return shard.detail ? `${words}. ${shard.detail}` : words;
}

/** How long an instance wasn't heard, if that is long enough to doubt it. */
export function silentFor({ heard }: Instance): number | undefined {
  const ms = heard ? millis(heard) : 0;
  return ms > 2000 ? ms : undefined;
}

/** The shards, of all there are, that no instance answers for. */
export function unanswered(instances: readonly Instance[], shardCount: number): number[] {
  const answered = new Set(
    instances.flatMap(({ shards }) => shards.filter(answers).map(({ shard }) => shard)),
  );
  return Array.from({ length: shardCount }, (_, shard) => shard).filter((s) => !answered.has(s));
}

export interface ReplicaSet {
  name: string;
  instances: Instance[];
}

/** The replica sets by name, each with its instances by id: an order that stays as they go on. */
export function replicaSets(instances: readonly Instance[]): ReplicaSet[] {
  const sets = new Map<string, Instance[]>();
  for (const instance of instances) {
    const set = sets.get(instance.replicaSet);
    if (set) set.push(instance);
    else sets.set(instance.replicaSet, [instance]);
  }
  const order = new Intl.Collator("en", { numeric: true }).compare;
  return [...sets]
    .sort(([one], [other]) => order(one, other))
    .map(([name, members]) => ({
      name,
      instances: members.sort((one, other) => order(one.instanceId, other.instanceId)),
    }));
}
