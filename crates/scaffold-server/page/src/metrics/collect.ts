// Readings of what the server is at, every second: while somebody looks at them, and while an answer comes, so that whoever
// looks then sees how it began.

import { call, words } from "../api/http.ts";
import { Cell } from "../cell.ts";
import { coming } from "../state/talk.ts";
import { History } from "./series.ts";

export const history = new History();
/** Changes with each reading. */
export const reading = new Cell(0);
/** Why there is none. */
export const problem = new Cell<string | null>(null);

let lookers = 0;

/** Readings are wanted until what it gives back is called. */
export function look(): () => void {
  lookers += 1;
  void read();
  return () => void (lookers -= 1);
}

async function read(): Promise<void> {
  try {
    const response = await call("/metrics", { signal: AbortSignal.timeout(5_000) });
    history.add(await response.text(), Date.now());
    problem.value = null;
    reading.value += 1;
  } catch (error) {
    problem.value = words(error);
  }
}

export function collect(): void {
  setInterval(() => {
    if (!document.hidden && (lookers > 0 || coming.value.size > 0)) void read();
  }, 1_000);
  // What was before an answer is the ground that it is measured from.
  coming.listen(() => {
    if (lookers === 0 && coming.value.size > 0) void read();
  });
}
