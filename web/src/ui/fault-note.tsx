// Shows a query's error: what happened, what comes of it, and how to try again now.
import { Code } from "@connectrpc/connect";
import type { ComponentChildren } from "preact";
import { told, type Fault } from "../grpc/faults";

interface Props {
  fault: Fault;
  again(): void;
  children?: ComponentChildren;
}

export function FaultNote({ fault, again, children }: Props) {
  return (
    <div class="note bad" role="alert" data-testid="error">
      <p>
        <strong>{whatHappened(fault)}</strong> {told(fault, "the last one asked")}
      </p>
      <p>
        {fault.mayDoLater && <span>This page tries again by itself. </span>}
        {children}
        <button type="button" onClick={again}>
          Try again
        </button>
      </p>
    </div>
  );
}

function whatHappened(fault: Fault): string {
  if (fault.unanswered) return "No query service answers.";
  if (fault.code === Code.Unavailable) return "It can't be answered just now.";
  if (fault.code === Code.DeadlineExceeded) return "The view is not fresh enough yet.";
  if (fault.code === Code.InvalidArgument) return "The question is not a valid one.";
  return "The query failed.";
}
