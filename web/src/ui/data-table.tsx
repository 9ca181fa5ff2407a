// A table of rows that scrolls inside its own region, so that the page never scrolls sideways.
import type { ComponentChildren } from "preact";

export interface Column<R> {
  head: string;
  cell(row: R): ComponentChildren;
  /** `id` is set in the monospaced face, `figure` is also set flush right. */
  kind?: "id" | "figure" | "action";
}

/** Attributes of a row that say what it is about. */
export type RowAttributes = Record<`data-${string}`, string | undefined> & { key: string };

interface Props<R> {
  name: string;
  columns: readonly Column<R>[];
  rows: readonly R[];
  about(row: R): RowAttributes;
  busy?: boolean;
}

export function DataTable<R>({ name, columns, rows, about, busy }: Props<R>) {
  return (
    <div class="scroll" tabIndex={0} role="region" aria-label={`${name}, scrolls`}>
      <table aria-busy={busy ? "true" : "false"}>
        <caption>{name}</caption>
        <thead>
          <tr>
            {columns.map(({ head, kind }) => (
              <th key={head} scope="col" class={kind}>
                {kind === "action" ? <span class="unseen">{head}</span> : head}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => {
            const { key, ...attributes } = about(row);
            return (
              <tr key={key} {...attributes}>
                {columns.map(({ head, kind, cell }, at) =>
                  at === 0 ? (
                    <th key={head} scope="row" class={kind}>
                      {cell(row)}
                    </th>
                  ) : (
                    <td key={head} class={kind}>
                      {cell(row)}
                    </td>
                  ),
                )}
              </tr>
            );
          })}
        </tbody>
      </table>
    </div>
  );
}
