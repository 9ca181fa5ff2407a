// Keeps small things over a reload of this tab; a browser that keeps nothing loses only that.

const PREFIX = "tandem.";
// Storage may be forbidden or full; the page then goes on from memory.
const memory = new Map<string, string>();

export function stored<T>(key: string): T | undefined {
  const text = memory.get(key) ?? fromBrowser(key);
  if (text === null || text === undefined) return undefined;
  try {
    return JSON.parse(text) as T;
  } catch {
    return undefined;
  }
}

export function store(key: string, value: unknown): void {
  const text = JSON.stringify(value);
  memory.set(key, text);
  try {
    sessionStorage.setItem(PREFIX + key, text);
  } catch {
    // Said above.
  }
}

function fromBrowser(key: string): string | null {
  try {
    return sessionStorage.getItem(PREFIX + key);
  } catch {
    return null;
  }
}
