// Says who answered the last query and how old the answer may be.
import { lastAnswer } from "../state/served";
import { span } from "../words";

export function ServedNote() {
  const last = lastAnswer.value;
  if (!last) return null;
  return (
    <dl
      class="served"
      data-testid="served"
      data-instance={last.instance}
      data-forwarded={String(last.forwarded)}
    >
      <div>
        <dt>Last answer from</dt>
        <dd class="id">{last.instance}</dd>
      </div>
      <div>
        <dt>Asked at</dt>
        <dd>
          {last.by}
          {last.forwarded ? ", which forwarded it" : ""}
        </dd>
      </div>
      <div>
        <dt>Staleness</dt>
        <dd>{stalenessWords(last.staleness)}</dd>
      </div>
    </dl>
  );
}

function stalenessWords(ms: number | undefined): string {
  if (ms === undefined) return "not known";
  return ms < 1 ? span(ms) : `at most ${span(ms)}`;
}
