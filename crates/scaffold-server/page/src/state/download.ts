// Models that the server is asked to fetch.

import { words } from "../api/http.ts";
import { listNames, pull, type Names, type Pulling } from "../api/models.ts";
import { Cell } from "../cell.ts";
import { choose, models, refresh } from "./models.ts";
import { notify } from "./notices.ts";
import { fetched } from "./settings.ts";

/** Short names of models that can be fetched; they change only with the program. */
export const names = new Cell<Names | null>(null);

export async function learnNames(): Promise<void> {
  // What is missing then is a list to choose from: any name can still be written.
  names.value ??= await listNames().catch(() => null);
}

export interface Download extends Pulling {
  name: string;
  error?: string;
  stop: () => void;
}
export const download = new Cell<Download | null>(null);

/** Has the server download a model, and chooses it when it is there. */
export async function get(name: string): Promise<void> {
  const stop = new AbortController();
  const base = { name, stop: () => stop.abort() };
  download.value = { ...base, status: "asking the server" };
  try {
    for await (const step of pull(name, stop.signal)) download.value = { ...base, ...step };
    download.value = null;
    await refresh();
    // The list has it by the name that a short one stands for.
    const full = names.value?.models.find((known) => known.name === name)?.repo ?? name;
    if (models.value.some((model) => model.name === full)) name = full;
    fetched.update((names) => [...names.filter((other) => other !== name), name].slice(-50));
    choose(name);
    notify(`${name} is here.`);
  } catch (error) {
    download.value = stop.signal.aborted ? null : { ...base, status: "", error: words(error) };
  }
}
