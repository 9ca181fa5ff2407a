// Keeps what was typed into a form and the id its command goes by, so that a reload loses nothing
// and sending again is the same command.
import { requestId } from "../grpc/request-id";
import { store, stored } from "./session";

export interface Draft {
  values: Record<string, string>;
  /** The `request_id` of this command. Other values are another command and get another. */
  requestId: string;
}

/** A form's draft; fields that were never typed into are empty. */
export function draftOf(form: string): Draft {
  const kept = stored<Draft>(key(form));
  return kept?.requestId ? kept : { values: {}, requestId: requestId() };
}

export function typed(draft: Draft, field: string, value: string): Draft {
  return { values: { ...draft.values, [field]: value }, requestId: requestId() };
}

/** A new draft after a command was written, in which some fields stay filled in. */
export function after(draft: Draft, kept: readonly string[]): Draft {
  const values = Object.fromEntries(kept.map((field) => [field, draft.values[field] ?? ""]));
  return { values, requestId: requestId() };
}

export function keepDraft(form: string, draft: Draft): void {
  store(key(form), draft);
}

const key = (form: string) => `draft.${form}`;
