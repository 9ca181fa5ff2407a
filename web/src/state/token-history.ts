// Remembers which page came before which, since a page token only leads forward.
import { store, stored } from "./session";

/** For each page's token, the token of the page before it; the first page's token is empty. */
export type History = readonly (readonly [token: string, before: string])[];

/** More pages than anybody leafs through; what is older is forgotten. */
const MOST = 200;

export function wentForward(history: History, from: string, to: string): History {
  return [...history.filter(([token]) => token !== to), [to, from] as const].slice(-MOST);
}

/** The token of the page before, or nothing when that isn't known: a page opened by its link. */
export function before(history: History, token: string): string | undefined {
  return history.find(([known]) => known === token)?.[1];
}

const key = (list: string) => `pages.${list}`;

export function rememberPage(list: string, from: string, to: string): void {
  store(key(list), wentForward(stored<History>(key(list)) ?? [], from, to));
}

export function pageBefore(list: string, token: string): string | undefined {
  return before(stored<History>(key(list)) ?? [], token);
}
