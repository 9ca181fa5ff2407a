// Shows an instant to a person and, exactly, to a program.
import type { Timestamp } from "@bufbuild/protobuf/wkt";
import { instant, localTime } from "../words";

export function Time({ of }: { of: Timestamp | undefined }) {
  if (!of) return <>not known</>;
  const date = instant(of);
  if (Number.isNaN(date.getTime())) return <>not a time</>;
  return (
    <time dateTime={date.toISOString()} title={date.toISOString()}>
      {localTime(date)}
    </time>
  );
}
