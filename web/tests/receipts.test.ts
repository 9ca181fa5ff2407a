// A session shows the receipts that concern a read, and forgets those of another log.
import { expect, test } from "vitest";
import {
  concerning,
  dropRefused,
  keepReceipt,
  MOST,
  receiptsFor,
  refused,
  withReceipt,
  type Kept,
} from "../src/grpc/receipts";

const order = (customerId: string, receipt: string): Kept => ({ kind: "order", customerId, receipt });

test("the newest are kept, no more than a query takes", () => {
  let kept: Kept[] = [];
  for (let at = 0; at < 40; at++) kept = withReceipt(kept, order("ada", `r${at}`));
  expect(kept).toHaveLength(MOST);
  expect(kept[0]!.receipt).toBe("r8");
  expect(kept.at(-1)!.receipt).toBe("r39");
});

test("a receipt is kept once", () => {
  const kept = withReceipt(withReceipt([], order("ada", "r")), order("ada", "r"));
  expect(kept).toHaveLength(1);
});

test("only those of what is read are shown", () => {
  const kept: Kept[] = [
    order("ada", "o-ada"),
    order("bob", "o-bob"),
    { kind: "customer", customerId: "ada", receipt: "c-ada" },
    { kind: "greeting", customerId: "", receipt: "g" },
  ];
  expect(concerning(kept, { kinds: ["order"] })).toEqual(["o-ada", "o-bob"]);
  expect(concerning(kept, { kinds: ["customer", "order"], customerId: "ada" })).toEqual([
    "o-ada",
    "c-ada",
  ]);
  expect(concerning(kept, { kinds: ["greeting"] })).toEqual(["g"]);
});

test("a refused receipt is told by its place, all by the field's name alone", () => {
  const shown = ["a", "b", "c"];
  expect(refused(shown, ["freshness.receipts[1]", "freshness.receipts[7]"])).toEqual(["b"]);
  expect(refused(shown, ["freshness.receipts"])).toEqual(shown);
  expect(refused(shown, ["page_token", "freshness.max_staleness"])).toEqual([]);
});

test("what was refused is not shown again", () => {
  keepReceipt({ kind: "order", customerId: "ada" }, "stale");
  keepReceipt({ kind: "order", customerId: "ada" }, "good");
  const reading = { kinds: ["order"] as const };
  expect(dropRefused(receiptsFor(reading), ["freshness.receipts[0]"])).toBe(true);
  expect(receiptsFor(reading)).toEqual(["good"]);
  expect(dropRefused(receiptsFor(reading), ["customer_id"])).toBe(false);
});
