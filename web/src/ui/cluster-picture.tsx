// Draws the cluster: which instance of which replica set holds which shards, and how they fare.
import type { Instance, Shard } from "../gen/tandem/v1/query_pb";
import type { Routing } from "../state/routing";
import { progress, shardAge, shardSentence, silentFor, stateWord } from "../state/shards";
import { count, counted, span } from "../words";
import { fitting, layout, type Place, type PlacedBox, type PlacedLane } from "./cluster-layout";
import { ShardPatterns } from "./shard-patterns";

interface Props {
  routing: Routing;
  width: number;
  /** What the picture says to who doesn't see it; the table below says the rest. */
  summary: string;
  /** The instance that answered the last query. */
  answered: string | undefined;
}

export function ClusterPicture({ routing, width, summary, answered }: Props) {
  const gone = new Set(routing.ghosts.map(({ instance }) => instance));
  const drawn = layout([...routing.instances, ...gone], width);
  return (
    <svg
      class="cluster"
      data-testid="cluster"
      role="img"
      aria-label={summary}
      width={width}
      height={drawn.height}
      viewBox={`0 0 ${width} ${drawn.height}`}
    >
      <ShardPatterns />
      {drawn.lanes.map((lane) => (
        <Lane key={lane.name} lane={lane} gone={gone} answered={answered} />
      ))}
    </svg>
  );
}

interface LaneProps {
  lane: PlacedLane;
  gone: ReadonlySet<Instance>;
  answered: string | undefined;
}

function Lane({ lane, gone, answered }: LaneProps) {
  const here = lane.boxes.filter(({ instance }) => !gone.has(instance)).length;
  return (
    <g data-testid="replica-set" data-replica-set={lane.name} style={at(lane)} class="moves">
      <rect class="lane" width={lane.width} height={lane.height} rx={12} />
      <text class="lane-name" x={14} y={24}>
        replica set <tspan class="strong">{fitting(lane.name, lane.width / 2)}</tspan>
      </text>
      <text class="lane-name end" x={lane.width - 14} y={24}>
        {counted(here, "instance")}
      </text>
      {lane.boxes.map((box) =>
        gone.has(box.instance) ? (
          <Gone key={`gone ${box.instance.instanceId}`} box={box} />
        ) : (
          <Box
            key={box.instance.instanceId}
            box={box}
            answered={box.instance.instanceId === answered}
          />
        ),
      )}
    </g>
  );
}

function Box({ box, answered }: { box: PlacedBox; answered: boolean }) {
  const { instance, width, height } = box;
  const silent = silentFor(instance);
  const place = instance.zone ? `${instance.address}, zone ${instance.zone}` : instance.address;
  return (
    <g
      data-testid="instance"
      data-instance={instance.instanceId}
      data-suspect={String(silent !== undefined)}
      data-answered={String(answered)}
      style={at(box)}
      class="instance moves appears"
    >
      <rect class="box" width={width} height={height} rx={8} />
      <text class="instance-name" x={14} y={26}>
        {fitting(instance.instanceId, width - (answered ? 160 : 28), 8.2)}
      </text>
      {answered && (
        <text class="mark end" x={width - 14} y={26}>
          answered last
        </text>
      )}
      <text class={silent === undefined ? "small" : "small alarm"} x={14} y={44}>
        {silent === undefined
          ? fitting(place, width - 28, 6.8)
          : `not heard for ${span(Math.floor(silent / 1000) * 1000)}`}
      </text>
      {instance.shards.map((shard, index) => (
        <Cell key={shard.shard} shard={shard} place={box.cells[index]!} />
      ))}
    </g>
  );
}

/** An instance that vanished: a trace of it, for as long as somebody may wonder where it is. */
function Gone({ box: { instance, width, height, ...place } }: { box: PlacedBox }) {
  return (
    <g data-testid="gone" data-instance={instance.instanceId} style={at(place)} class="gone moves">
      <rect class="box" width={width} height={height} rx={8} />
      <text class="instance-name" x={14} y={26}>
        {fitting(instance.instanceId, width - 28, 8.2)}
      </text>
      <text class="small" x={14} y={44}>
        gone
      </text>
    </g>
  );
}

function Cell({ shard, place }: { shard: Shard; place: Place }) {
  const { width, height } = place;
  const word = stateWord(shard);
  const { at: folded, end, part } = progress(shard);
  const room = width - 20;
  return (
    <g
      data-testid="shard"
      data-shard={shard.shard}
      data-state={word}
      style={at(place)}
      class={`shard ${word}`}
    >
      <title>{shardSentence(shard)}</title>
      <rect class="cell" width={width} height={height} rx={6} />
      <rect class="pattern" x={0.75} y={0.75} width={width - 1.5} height={6} rx={3} />
      <text class="number" x={10} y={37}>
        {shard.shard}
      </text>
      <text class="state end" x={width - 10} y={27}>
        {word}
      </text>
      <text class="tiny end" x={width - 10} y={41}>
        {shardAge(shard)}
      </text>
      <rect class="track" x={10} y={52} width={room} height={4} rx={2} />
      <rect class="bar" x={10} y={52} width={room * part} height={4} rx={2} />
      <text class="tiny" x={10} y={73}>
        {fitting(folded === end ? `all ${count(end)}` : `${count(folded)} of ${count(end)}`, room, 6.3)}
      </text>
    </g>
  );
}

// A style, not the attribute: only a style moves smoothly.
function at({ x, y }: { x: number; y: number }) {
  return { transform: `translate(${x}px, ${y}px)` };
}
