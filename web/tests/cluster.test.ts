// The picture has room for everything at any width, and says what is there and what is not.
import { create } from "@bufbuild/protobuf";
import { expect, test } from "vitest";
import { InstanceSchema, ShardState, type Instance } from "../src/gen/tandem/v1/query_pb";
import { withGhosts } from "../src/state/routing";
import { progress, replicaSets, silentFor, unanswered } from "../src/state/shards";
import { fitting, layout, type Place } from "../src/ui/cluster-layout";

function instance(instanceId: string, replicaSet: string, shards: number[]): Instance {
  return create(InstanceSchema, {
    instanceId,
    replicaSet,
    heard: { seconds: 0n, nanos: 0 },
    shards: shards.map((shard) => ({
      shard,
      state: ShardState.SERVING,
      inputs: [{ topic: "orders", partition: shard, offset: 3n, end: 4n }],
    })),
  });
}

const CLUSTER = [
  instance("q-10", "a", [0, 1, 2, 3, 4, 5, 6]),
  instance("q-2", "a", []),
  instance("q-b", "b", [0, 1]),
];

const inside = (outer: Place, inner: Place) =>
  inner.x >= 0 &&
  inner.y >= 0 &&
  inner.x + inner.width <= outer.width + 0.01 &&
  inner.y + inner.height <= outer.height + 0.01;

const apart = (one: Place, other: Place) =>
  one.x + one.width <= other.x ||
  other.x + other.width <= one.x ||
  one.y + one.height <= other.y ||
  other.y + other.height <= one.y;

test("everything lies inside what holds it, and nothing on anything", () => {
  for (const width of [280, 328, 640, 988, 1900]) {
    const drawn = layout(CLUSTER, width);
    for (const lane of drawn.lanes) {
      expect(lane.y + lane.height).toBeLessThanOrEqual(drawn.height);
      for (const box of lane.boxes) {
        expect(inside(lane, box)).toBe(true);
        expect(box.cells.every((cell) => inside(box, cell))).toBe(true);
        expect(lane.boxes.every((other) => other === box || apart(box, other))).toBe(true);
        for (const cell of box.cells) {
          expect(box.cells.every((other) => other === cell || apart(cell, other))).toBe(true);
        }
      }
    }
  }
});

test("sets and instances keep an order that people expect", () => {
  const sets = replicaSets(CLUSTER).map(({ name, instances }) => [
    name,
    ...instances.map(({ instanceId }) => instanceId),
  ]);
  expect(sets).toEqual([
    ["a", "q-2", "q-10"],
    ["b", "q-b"],
  ]);
});

test("an instance that vanished is a ghost for a while, unless it comes back", () => {
  const [first, second] = [CLUSTER[0]!, CLUSTER[1]!];
  const both = withGhosts({ instances: [], ghosts: [] }, [first, second], 0);
  const one = withGhosts(both, [first], 1000);
  expect(one.ghosts).toEqual([{ instance: second, since: 1000 }]);
  expect(withGhosts(one, [first], 5000).ghosts).toHaveLength(1);
  expect(withGhosts(one, [first], 11_000).ghosts).toHaveLength(0);
  expect(withGhosts(one, [first, second], 5000).ghosts).toHaveLength(0);
});

test("shards that nobody answers for are named", () => {
  expect(unanswered(CLUSTER, 9)).toEqual([7, 8]);
});

test("progress is all inputs together, and an end that lags behind is no harm", () => {
  const shard = CLUSTER[2]!.shards[0]!;
  expect(progress(shard)).toEqual({ at: 3n, end: 4n, part: 0.75 });
  shard.inputs[0]!.end = 2n;
  expect(progress(shard).part).toBe(1);
});

test("an instance is doubted after two seconds of silence", () => {
  const heard = (seconds: bigint) => create(InstanceSchema, { heard: { seconds, nanos: 1 } });
  expect(silentFor(heard(1n))).toBeUndefined();
  expect(silentFor(heard(3n))).toBeGreaterThan(3000);
});

test("a text that is too long is cut", () => {
  expect(fitting("short", 100)).toBe("short");
  expect(fitting("a-very-long-instance-name", 73)).toBe("a-very-lo…");
});
