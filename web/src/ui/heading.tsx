// The heading of a view, which is also the document's title.
import type { ComponentChildren } from "preact";
import { useLayoutEffect } from "preact/hooks";
import { heading } from "../state/address";

export function Heading({ text, children }: { text: string; children?: ComponentChildren }) {
  useLayoutEffect(() => {
    heading.value = text;
  }, [text]);
  return (
    <div class="heading">
      <h1 tabIndex={-1}>{text}</h1>
      {children}
    </div>
  );
}
