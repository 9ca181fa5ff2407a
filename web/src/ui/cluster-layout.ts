// Places the cluster's picture: lanes of replica sets, in them boxes of instances, in them cells
// of shards, for any width. Pure arithmetic, so that the drawing only draws.
import type { Instance } from "../gen/tandem/v1/query_pb";
import { replicaSets } from "../state/shards";

const CELL = { least: 112, most: 176, height: 86, gap: 8 } as const;
const BOX = { least: 264, most: 560, head: 58, pad: 12, gap: 14 } as const;
const LANE = { head: 38, pad: 14, gap: 18 } as const;

export interface Place {
  x: number;
  y: number;
  width: number;
  height: number;
}

export interface PlacedBox extends Place {
  instance: Instance;
  /** Where its cells are, within the box, in the order of its shards. */
  cells: Place[];
}

export interface PlacedLane extends Place {
  name: string;
  boxes: PlacedBox[];
}

interface Layout {
  width: number;
  height: number;
  lanes: PlacedLane[];
}

/** Lays out what is to be seen in a picture of that width. */
export function layout(instances: readonly Instance[], width: number): Layout {
  const lanes: PlacedLane[] = [];
  let y = 0;
  for (const { name, instances: members } of replicaSets(instances)) {
    const boxes = placeBoxes(members, width);
    const bottom = Math.max(0, ...boxes.map((box) => box.y + box.height));
    lanes.push({ name, x: 0, y, width, height: bottom + LANE.pad, boxes });
    y += bottom + LANE.pad + LANE.gap;
  }
  return { width, height: Math.max(0, y - LANE.gap), lanes };
}

/** The boxes of a lane, from its upper left corner: as many beside each other as there is room
 * for, those beside each other of one height. */
function placeBoxes(members: readonly Instance[], laneWidth: number): PlacedBox[] {
  const room = laneWidth - 2 * LANE.pad;
  const fit = Math.max(1, Math.floor((room + BOX.gap) / (BOX.least + BOX.gap)));
  const columns = Math.min(fit, Math.max(1, members.length));
  const width = Math.min(BOX.most, (room - BOX.gap * (columns - 1)) / columns);
  const boxes: PlacedBox[] = [];
  let y: number = LANE.head;
  for (let first = 0; first < members.length; first += columns) {
    const row = members.slice(first, first + columns);
    const cells = row.map(({ shards }) => placeCells(shards.length, width));
    const bottom = Math.max(BOX.head, ...cells.flat().map((cell) => cell.y + cell.height));
    const height = bottom + BOX.pad;
    row.forEach((instance, at) => {
      const x = LANE.pad + at * (width + BOX.gap);
      boxes.push({ instance, x, y, width, height, cells: cells[at]! });
    });
    y += height + BOX.gap;
  }
  return boxes;
}

/** The cells of a box, from its upper left corner. */
function placeCells(figure: number, boxWidth: number): Place[] {
  const room = boxWidth - 2 * BOX.pad;
  const columns = Math.max(1, Math.floor((room + CELL.gap) / (CELL.least + CELL.gap)));
  const width = Math.min(CELL.most, (room - CELL.gap * (columns - 1)) / columns);
  return Array.from({ length: figure }, (_, at) => ({
    x: BOX.pad + (at % columns) * (width + CELL.gap),
    y: BOX.head + Math.floor(at / columns) * (CELL.height + CELL.gap),
    width,
    height: CELL.height,
  }));
}

/** A text cut to what fits into that many pixels, judged by the width of a monospaced letter. */
export function fitting(text: string, width: number, letter = 7.3): string {
  const most = Math.max(4, Math.floor(width / letter));
  return text.length <= most ? text : `${text.slice(0, most - 1)}…`;
}
