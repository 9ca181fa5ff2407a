// Does what each line of standard input says, through the client, and says what came of it.
// `TANDEM_TRANSPORT=web` does it over gRPC-Web.
import { createInterface } from "node:readline";
import type { Answer, Line } from "./line.js";
import { Things } from "./things.js";
import { told } from "./told.js";

const things = new Things();
for await (const text of createInterface({ input: process.stdin })) {
  if (text.trim() === "") continue;
  const line = JSON.parse(text) as Line;
  let answer: Answer;
  try {
    answer = await things.does(line);
  } catch (error) {
    answer = { error: told(error) };
  }
  process.stdout.write(`${JSON.stringify(answer)}\n`);
}
things.closeAll();
