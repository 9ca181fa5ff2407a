// Says in words how a watch stands, and that it went on elsewhere when it did.
import type { FollowState } from "../grpc/follow";
import type { Service } from "../grpc/services";

interface Props {
  state: FollowState<Service>;
  wentOn?: { lost: string; now: string } | undefined;
  dismiss?(): void;
}

export function WatchState({ state, wentOn, dismiss }: Props) {
  return (
    <div class="watch">
      <p
        role="status"
        data-testid="watch-state"
        data-state={state.name === "stopped" ? "paused" : state.name}
      >
        {stateWords(state)}
      </p>
      {/* The region is always there: what comes with its region isn't read out. */}
      <div role="status">
        {wentOn && (
          <p class="note went-on" data-testid="went-on">
            <span>
              Query service <b class="id">{wentOn.lost}</b> was lost. The watch went on with{" "}
              <b class="id">{wentOn.now}</b> where it had stopped; no change was missed.
            </span>
            <button type="button" class="quiet" onClick={dismiss}>
              Dismiss
            </button>
          </p>
        )}
      </div>
    </div>
  );
}

function stateWords(state: FollowState<Service>): string {
  switch (state.name) {
    case "connecting":
      return `Connecting to ${state.service.name} …`;
    case "live":
      return "Live";
    case "paused":
      return "Paused while the tab is hidden";
    case "stopped":
      return "Stopped";
    case "reconnecting":
      return state.lost === state.service
        ? `Lost query service ${state.lost.name}; trying it again …`
        : `Lost query service ${state.lost.name}; going on with ${state.service.name} …`;
  }
}
