// The models of the server, asked for again and again while somebody looks.

import { apiKey, Refusal, words } from "../api/http.ts";
import { listModels, listStages, merged, unload, type Lists, type Model } from "../api/models.ts";
import { Cell } from "../cell.ts";
import { change, current } from "./chats.ts";
import { notify } from "./notices.ts";
import { defaults, fetched } from "./settings.ts";

export const models = new Cell<Model[]>([]);
/** Why there is no list. */
export const trouble = new Cell<string | null>(null);
/** Whether the server was asked at all. */
export const asked = new Cell(false);

/** The key that the server did not take; it is not asked with it again and again. */
let refused: string | null = null;

let lists: Lists = { tags: [], ps: [], ids: [] };
let stages = "";
/** When the lists were read. */
let listed = -Infinity;
/** So long they are taken to be true while no stage changes. */
const LASTING = 60_000;

/** Asks how far the models are, and for all that is known of them where that changed. */
async function look(): Promise<void> {
  const key = apiKey.value;
  try {
    const found = await listStages();
    // Who counts bytes is at the same stage as before.
    const now = JSON.stringify(found.map(({ name, stage }) => [name, stage]));
    if (now !== stages || performance.now() - listed > LASTING) {
      lists = await listModels();
      listed = performance.now();
      stages = now;
    }
    const all = merged(lists, found);
    if (JSON.stringify(all) !== JSON.stringify(models.value)) models.value = all;
    trouble.value = null;
    refused = null;
  } catch (error) {
    trouble.value = words(error);
    refused = error instanceof Refusal && error.status === 401 ? key : null;
    listed = -Infinity;
  }
  asked.value = true;
}

/** Asks for everything now. */
export function refresh(): Promise<void> {
  listed = -Infinity;
  return look();
}

let quick = 0;
let timer: ReturnType<typeof setTimeout> | undefined;

/** Asks every five seconds while the page is seen, every second while somebody waits for a model. */
export function watch(): void {
  const tick = async (): Promise<void> => {
    clearTimeout(timer);
    if (!document.hidden && refused !== apiKey.value) await look();
    clearTimeout(timer);
    timer = setTimeout(tick, quick > 0 ? 1_000 : 5_000);
  };
  document.addEventListener("visibilitychange", () => void (document.hidden || tick()));
  hurry = () => void tick();
  void tick();
}

let hurry = (): void => undefined;

/** Has the list asked for often until what it gives back is called. */
export function closely(): () => void {
  quick += 1;
  hurry();
  let done = false;
  return () => {
    if (!done) quick -= 1;
    done = true;
  };
}

/** The model that the next message goes to: the chat's as long as it is there, else one in memory, else the first. */
export function chosen(name: string, list: Model[]): string {
  const plain = name.replace(/:latest$/, "");
  const there = list.length === 0 || fetched.value.includes(name) || list.some((model) => model.name === plain);
  return (there && name) || list[0]?.name || "";
}

export function choose(name: string): void {
  change(current.value.id, (chat) => ({ ...chat, model: name }));
  defaults.update((value) => ({ ...value, model: name }));
}

export async function free(name: string): Promise<void> {
  try {
    await unload(name);
  } catch (error) {
    notify(words(error));
  }
  await refresh();
}
