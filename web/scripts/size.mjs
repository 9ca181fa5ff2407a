// Keeps the first load small: prints what it weighs compressed, and fails when it is too much.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";

const LIMIT = 150_000;
const dist = new URL("../dist/", import.meta.url).pathname;

const files = readdirSync(dist, { recursive: true, withFileTypes: true })
  // The licences lie beside the page; it doesn't load them.
  .filter((entry) => entry.isFile() && !entry.name.endsWith(".md"))
  .map((entry) => join(entry.parentPath ?? entry.path, entry.name))
  .sort();
let total = 0;
for (const file of files) {
  const size = gzipSync(readFileSync(file), { level: 9 }).length;
  total += size;
  console.log(`${String(size).padStart(8)}  ${file.slice(dist.length)}`);
}
console.log(`${String(total).padStart(8)}  bytes gzipped, of at most ${LIMIT}`);
if (files.length === 0 || total > LIMIT) {
  console.error("The first load is too large, or there is none.");
  process.exit(1);
}
