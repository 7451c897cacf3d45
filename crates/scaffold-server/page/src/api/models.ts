// Which models the server has, how far each is, and how to get one more.

import { call, json, Refusal, wordsIn } from "./http.ts";
import { lines } from "./lines.ts";

/** Where a model is: on the disk only, on its way, in memory, or there it could not get. */
export type Stage = "disk" | "loading" | "loaded" | "failed";

export interface Model {
  name: string;
  stage: Stage;
  /** What the server calls its stage, where it is on its way. */
  word?: string;
  /** From 0 to 1, where the server says it. */
  part?: number;
  /** Bytes on the disk. */
  size?: number;
  /** Such as `135M · Q4_1`. */
  about?: string;
  /** When it leaves memory if nobody uses it. */
  expires?: string;
  /** Why it could not be loaded. */
  why?: string;
}

export interface Listed {
  name?: string;
  model?: string;
  size?: number;
  expires_at?: string;
  details?: { parameter_size?: string; quantization_level?: string };
  capabilities?: string[];
}

/** How far a model of the server's registry is. */
export interface Staged {
  name: string;
  names: string[];
  stage: string;
  bytes?: number;
  of?: number;
  why?: string;
}

/** What changes seldom: which models are on the disk, and until when others are in memory. */
export interface Lists {
  tags: Listed[];
  ps: Listed[];
  ids: string[];
}

export async function listModels(): Promise<Lists> {
  const [tags, ps, known] = await Promise.all([
    json<{ models?: Listed[] }>("/api/tags"),
    json<{ models?: Listed[] }>("/api/ps"),
    json<{ data?: { id: string }[] }>("/v1/models"),
  ]);
  return { tags: tags.models ?? [], ps: ps.models ?? [], ids: (known.data ?? []).map(({ id }) => id) };
}

/** How far each model is that is in memory or on its way. */
export async function listStages(): Promise<Staged[]> {
  return (await json<{ models?: Staged[] }>("/stages")).models ?? [];
}

const plain = (name: string): string => name.replace(/:latest$/, "");

/** One list of four, the models in memory first. What the server calls by several names is one model, under the name that its list has. */
export function merged({ tags, ps, ids }: Lists, stages: Staged[]): Model[] {
  const models = new Map<string, Model>();
  const others = new Map<string, string>();
  const at = (written: string): Model => {
    const name = others.get(plain(written)) ?? plain(written);
    let model = models.get(name);
    if (!model) models.set(name, (model = { name, stage: "disk" }));
    return model;
  };
  for (const id of ids) at(id);
  for (const listed of tags) {
    const model = at(listed.name ?? listed.model ?? "");
    if (listed.size !== undefined) model.size = listed.size;
    const { parameter_size, quantization_level } = listed.details ?? {};
    const about = [parameter_size, quantization_level].filter((word) => word && word !== "unknown").join(" · ");
    if (about) model.about = about;
  }
  for (const { name, names, stage, bytes, of, why } of stages) {
    const all = [...names, name].map(plain);
    const first = all.find((name) => models.has(name)) ?? all[0] ?? name;
    for (const other of all) others.set(other, first);
    const model = at(first);
    model.stage = stage === "ready" ? "loaded" : stage === "failed" ? "failed" : "loading";
    if (model.stage === "loading") model.word = stage;
    if (of) model.part = Math.min(1, (bytes ?? 0) / of);
    if (why) model.why = why;
  }
  for (const listed of ps) {
    const model = at(listed.name ?? listed.model ?? "");
    model.stage = "loaded";
    if (listed.expires_at) model.expires = listed.expires_at;
  }
  // Models that turn texts into numbers answer nobody.
  for (const { name, model, capabilities } of tags) {
    if (capabilities && !capabilities.includes("completion")) models.delete(at(name ?? model ?? "").name);
  }
  const rank = { loaded: 0, loading: 1, disk: 2, failed: 3 };
  return [...models.values()]
    .filter((model) => model.name)
    .sort((a, b) => rank[a.stage] - rank[b.stage] || a.name.localeCompare(b.name));
}

/** A short name of a model that can be fetched. */
export interface Name {
  name: string;
  repo: string;
  parameters: string;
  licence: string;
  /** Whether its terms must be accepted with an account first. */
  gated: boolean;
}

export interface Names {
  may_fetch: boolean;
  models: Name[];
}

export function listNames(): Promise<Names> {
  return json<Names>("/names");
}

/** How far a download is. */
export interface Pulling {
  status: string;
  completed?: number;
  total?: number;
}

/** Has the server download a model, and tells how far it is. */
export async function* pull(name: string, signal: AbortSignal): AsyncGenerator<Pulling> {
  const response = await call("/api/pull", { body: { model: name, stream: true }, signal });
  if (!response.body) return;
  for await (const line of lines(response.body)) {
    if (!line.trim()) continue;
    const step = JSON.parse(line) as Pulling & { error?: unknown };
    if (step.error) throw new Refusal(wordsIn(step) ?? "The download failed.", response.status);
    yield step;
  }
}

/** Has the server take a model out of memory. */
export async function unload(name: string): Promise<void> {
  await call("/api/generate", { body: { model: name, keep_alive: 0, stream: false } });
}
