// Tells whether anybody looks at this tab. Browsers allow six HTTP/1.1 connections to a host in
// all tabs together, so a stream that nobody looks at would starve the others.

export function tabHidden(): boolean {
  return document.visibilityState === "hidden";
}

export function onTabHidden(changed: () => void): () => void {
  document.addEventListener("visibilitychange", changed);
  return () => document.removeEventListener("visibilitychange", changed);
}
