// Follows which instances there are, and keeps those that vanished in sight for a moment.
import { useEffect, useState } from "preact/hooks";
import type { Instance, WatchRoutingResponse } from "../gen/tandem/v1/query_pb";
import { wait } from "../grpc/backoff";
import { follow, type FollowState } from "../grpc/follow";
import { queryServices, type Service } from "../grpc/services";
import { onTabHidden, tabHidden } from "./tab";

/** The routing is said anew each second, so this much silence means that nobody is there. */
const SILENCE = 5_000;
/** How long an instance that vanished is still shown. */
const GHOST = 10_000;

/** An instance that was there and isn't any more. */
export interface Ghost {
  instance: Instance;
  /** When it was found gone, by this page's clock. */
  since: number;
}

export interface Routing {
  instances: readonly Instance[];
  ghosts: readonly Ghost[];
}

/** What of the instances that were there is gone now. One that came back is no ghost. */
export function withGhosts(old: Routing, instances: readonly Instance[], now: number): Routing {
  const here = new Set(instances.map(({ instanceId }) => instanceId));
  const left = old.instances.filter(({ instanceId }) => !here.has(instanceId));
  const ghosts = [...old.ghosts, ...left.map((instance) => ({ instance, since: now }))];
  return {
    instances,
    ghosts: ghosts.filter(
      ({ instance, since }) => !here.has(instance.instanceId) && now - since < GHOST,
    ),
  };
}

export interface WatchedRouting {
  told: WatchRoutingResponse | undefined;
  routing: Routing;
  state: FollowState<Service>;
}

/** What is told of the routing, and how to begin anew at once. */
export function useRouting(): [WatchedRouting, () => void] {
  const services = queryServices();
  const [watched, set] = useState<WatchedRouting>({
    told: undefined,
    routing: { instances: [], ghosts: [] },
    state: { name: "connecting", service: services.current },
  });

  const [round, setRound] = useState(0);

  useEffect(() => {
    const ending = new AbortController();
    void follow<Service, WatchRoutingResponse>(
      {
        services,
        open: (service, _, signal, onHeader) =>
          service.client.watchRouting({}, { signal, onHeader }),
        tokenOf: () => "",
        onMessage: (told) => {
          for (const { shards } of told.instances) shards.sort((a, b) => a.shard - b.shard);
          set(({ state, routing }) => ({
            state,
            told,
            routing: withGhosts(routing, told.instances, performance.now()),
          }));
        },
        onState: (state) => set((old) => ({ ...old, state })),
        guard: (_, dead) => silenceAfter(SILENCE, dead),
        hidden: tabHidden,
        onHidden: onTabHidden,
        pause: wait,
      },
      ending.signal,
    );
    return () => ending.abort();
  }, [round]);

  return [watched, () => setRound((count) => count + 1)];
}

function silenceAfter(ms: number, dead: () => void) {
  let timer = setTimeout(dead, ms);
  return {
    heard: () => {
      clearTimeout(timer);
      timer = setTimeout(dead, ms);
    },
    end: () => clearTimeout(timer),
  };
}
