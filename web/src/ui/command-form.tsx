// A form that sends one command: once, with what the service says about each field at that field.
import type { CallOptions } from "@connectrpc/connect";
import type { ComponentChildren } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { send } from "../grpc/commands";
import { faultOf, told, type Fault } from "../grpc/faults";
import { after, draftOf, keepDraft, typed, type Draft } from "../state/draft";
import { Field, type FieldOf } from "./field";

/** What a form's command is made of. */
export interface Command {
  values: Record<string, string>;
  requestId: string;
  options: CallOptions;
  /** When the button was pressed, by `performance.now()`. */
  pressed: number;
}

interface Props {
  name: string;
  fields: readonly FieldOf[];
  /** Under what the draft is kept. */
  draft: string;
  /** The fields that stay filled in after success. */
  keep?: readonly string[];
  /** Sends the command and returns what to say once it is written. */
  send(command: Command): Promise<ComponentChildren>;
}

type Progress =
  | { name: "idle" }
  | { name: "sending"; said?: string }
  | { name: "sent"; said: ComponentChildren }
  | { name: "failed"; fault: Fault };

export function CommandForm(props: Props) {
  const { name, fields } = props;
  const [draft, setDraft] = useState<Draft>(() => draftOf(props.draft));
  const [progress, setProgress] = useState<Progress>({ name: "idle" });
  const form = useRef<HTMLFormElement>(null);
  // State reaches the button only with the next render; two clicks may come before that.
  const sending = useRef(false);
  const fault = progress.name === "failed" ? progress.fault : undefined;
  const faulty = (field: FieldOf) => fault?.fields.get(field.name);
  const shown = (name: string) => fields.some((field) => field.name === name);
  const elsewhere = fault && ![...fault.fields.keys()].some(shown);

  useEffect(() => {
    if (fault) form.current?.querySelector<HTMLElement>("[aria-invalid=true]")?.focus();
  }, [fault]);

  const latest = useRef(draft);
  const change = (next: Draft) => {
    latest.current = next;
    keepDraft(props.draft, next);
    setDraft(next);
  };
  const valueOf = (field: FieldOf) => field.fixed ?? draft.values[field.name] ?? "";

  const submit = async (event: Event) => {
    event.preventDefault();
    if (sending.current) return;
    sending.current = true;
    const pressed = performance.now();
    // Kept before sending: after a reload in between, sending again is the same command.
    keepDraft(props.draft, draft);
    setProgress({ name: "sending" });
    const values = Object.fromEntries(fields.map((field) => [field.name, valueOf(field)]));
    try {
      const said = await send(
        (options) => props.send({ values, requestId: draft.requestId, options, pressed }),
        (fault, attempt) =>
          setProgress({
            name: "sending",
            said: `${told(fault, COMMANDS)} Sending again, for the ${ordinal(attempt)} time; it has one effect all the same.`,
          }),
      );
      // What was typed meanwhile is the next command's.
      if (latest.current.requestId === draft.requestId) change(after(draft, props.keep ?? []));
      setProgress({ name: "sent", said });
    } catch (error) {
      setProgress({ name: "failed", fault: faultOf(error) });
    } finally {
      sending.current = false;
    }
  };

  return (
    <form ref={form} class="command" aria-label={name} noValidate onSubmit={submit}>
      <h2>{name}</h2>
      {fields.map((field) => (
        <Field
          key={field.name}
          field={field}
          value={valueOf(field)}
          fault={faulty(field)}
          typed={(value) => change(typed(draft, field.name, value))}
        />
      ))}
      <button type="submit" class="main" aria-disabled={progress.name === "sending"}>
        {name}
      </button>
      <p role="status" class="sending">
        {progress.name === "sending" ? (progress.said ?? "Sending …") : ""}
      </p>
      {elsewhere && (
        <p role="alert" class="note bad">
          {failure(fault)}
        </p>
      )}
      <div role="status" data-testid="sent" class="sent">
        {progress.name === "sent" && progress.said}
      </div>
    </form>
  );
}

const COMMANDS = "the command service";

function failure(fault: Fault): string {
  const hint = fault.mayDoLater ? " What you typed is kept; sending it again is safe." : "";
  return `${told(fault, COMMANDS)}${hint}`;
}

function ordinal(attempt: number): string {
  return ["first", "second", "third", "fourth"][attempt - 1] ?? "last";
}
