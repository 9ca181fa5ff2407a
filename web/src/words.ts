// Says figures in words, in one way on the whole page: ages, counts, times.
import type { Duration, Timestamp } from "@bufbuild/protobuf/wkt";

export function millis(duration: Duration): number {
  return Number(duration.seconds) * 1000 + duration.nanos / 1e6;
}

/** A span as a person says it, never finer than it can be read. */
export function span(ms: number): string {
  if (ms < 1) return "less than 1 ms";
  if (ms < 1000) return `${Math.round(ms)} ms`;
  if (ms < 9_950) return `${trimmed(ms / 1000)} s`;
  if (ms < 59_500) return `${Math.round(ms / 1000)} s`;
  if (ms < 3_570_000) return `${Math.round(ms / 60_000)} min`;
  if (ms < 86_400_000) return `${trimmed(ms / 3_600_000)} h`;
  return `${Math.round(ms / 86_400_000)} d`;
}

/** How old a shard's view is. Below a second a figure would only flicker. */
export function age(ms: number | undefined): string {
  if (ms === undefined) return "never complete";
  return ms < 1000 ? "up to date" : `${span(ms)} behind`;
}

export function count(figure: number | bigint): string {
  return figure.toLocaleString("en");
}

/** "1 shard", "2 shards". */
export function counted(figure: number | bigint, one: string, many = `${one}s`): string {
  return `${count(figure)} ${Number(figure) === 1 ? one : many}`;
}

/** "0, 1 and 3" */
export function listed(items: readonly (string | number)[]): string {
  if (items.length < 2) return items.join("");
  return `${items.slice(0, -1).join(", ")} and ${items[items.length - 1]}`;
}

export function instant(timestamp: Timestamp): Date {
  return new Date(Number(timestamp.seconds) * 1000 + Math.round(timestamp.nanos / 1e6));
}

/** The reader's local time, in the order that sorts. */
export function localTime(date: Date): string {
  const two = (figure: number) => String(figure).padStart(2, "0");
  const day = [date.getFullYear(), two(date.getMonth() + 1), two(date.getDate())].join("-");
  const time = [date.getHours(), date.getMinutes(), date.getSeconds()].map(two).join(":");
  return `${day} ${time}`;
}

function trimmed(figure: number): string {
  return figure.toFixed(1).replace(/\.0$/, "");
}
