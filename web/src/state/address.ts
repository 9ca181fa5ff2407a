// Follows the address: which route is shown, and what a change of view does to focus and title.
import { effect, signal } from "@preact/signals";
import { parseHash, type Route } from "../router";

export const route = signal<Route>(parseHash(location.hash));

addEventListener("hashchange", () => {
  route.value = parseHash(location.hash);
});

/** The heading of the view that is shown; views that learn it late change it. */
export const heading = signal("");

effect(() => {
  document.title = heading.value ? `${heading.value} · Tandem` : "Tandem";
});

/** Goes there as a link would. */
export function go(hash: string): void {
  location.hash = hash;
}
