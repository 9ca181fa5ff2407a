// Figures read as a person would say them.
import { expect, test } from "vitest";
import { age, counted, listed, span } from "../src/words";

test("a span is said no finer than it can be read", () => {
  const said = [0.2, 12.4, 999, 1000, 3400, 9940, 34_000, 59_400, 90_000, 5_400_000, 2e8].map(span);
  expect(said).toEqual([
    "less than 1 ms",
    "12 ms",
    "999 ms",
    "1 s",
    "3.4 s",
    "9.9 s",
    "34 s",
    "59 s",
    "2 min",
    "1.5 h",
    "2 d",
  ]);
});

test("a view is up to date within a second, and may never have been complete", () => {
  expect([age(20), age(2500), age(undefined)]).toEqual([
    "up to date",
    "2.5 s behind",
    "never complete",
  ]);
});

test("counts and lists are words", () => {
  expect([counted(1, "shard"), counted(1234n, "shard"), counted(0, "row")]).toEqual([
    "1 shard",
    "1,234 shards",
    "0 rows",
  ]);
  expect([listed([]), listed([3]), listed([0, 1]), listed([0, 1, 3])]).toEqual([
    "",
    "3",
    "0 and 1",
    "0, 1 and 3",
  ]);
});
