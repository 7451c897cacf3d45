// What the metrics page shows, out of what `/metrics` says.

import { buckets, by, parse, quantile, total, type Sample } from "./prometheus.ts";

/** One reading. */
interface Reading {
  at: number;
  samples: Sample[];
}

/** The lines of a plot at one time. */
export type Point = { at: number; values: (number | undefined)[] };

export interface Plotted {
  title: string;
  unit: "count" | "rate" | "seconds" | "bytes" | "part";
  lines: string[];
  points: Point[];
}

/** So many readings are kept: five minutes. */
const KEPT = 300;
/** Times are those of what came within so many readings. */
const WINDOW = 15;

/** The names that the server gives its metrics. */
export const NAMES = {
  running: "scaffold_requests_running",
  waiting: "scaffold_requests_waiting",
  promptTokens: "scaffold_prompt_tokens_total",
  tokens: "scaffold_completion_tokens_total",
  first: "scaffold_first_token_seconds",
  between: "scaffold_between_tokens_seconds",
  blocksHeld: "scaffold_kv_blocks_held",
  blocksTotal: "scaffold_kv_blocks",
  memory: "scaffold_model_memory_bytes",
};

export class History {
  #readings: Reading[] = [];
  #models = new Set<string>();

  add(text: string, at: number): void {
    this.#readings.push({ at, samples: parse(text) });
    if (this.#readings.length > KEPT) this.#readings.shift();
    for (const name of by(this.#readings.at(-1)?.samples ?? [], NAMES.memory, "model").keys()) this.#models.add(name);
  }

  plots(): Plotted[] {
    const models = [...this.#models].sort();
    return [
      this.#plot("Requests", "count", ["running", "waiting"], (samples) => [total(samples, NAMES.running), total(samples, NAMES.waiting)]),
      this.#plot("Tokens a second", "rate", ["answers", "prompts"], (_, at) => [this.#rate(at, NAMES.tokens), this.#rate(at, NAMES.promptTokens)]),
      this.#plot("Time to the first token", "seconds", ["median", "95 of 100"], (_, at) => this.#times(at, NAMES.first)),
      this.#plot("Time between tokens", "seconds", ["median", "95 of 100"], (_, at) => this.#times(at, NAMES.between)),
      this.#plot("Keys and values in use", "part", ["blocks"], (samples) => [part(total(samples, NAMES.blocksHeld), total(samples, NAMES.blocksTotal))]),
      this.#plot("Memory", "bytes", models, (samples) => {
        const held = by(samples, NAMES.memory, "model");
        return models.map((model) => held.get(model));
      }),
    ];
  }

  #plot(title: string, unit: Plotted["unit"], lines: string[], values: (samples: Sample[], at: number) => (number | undefined)[]): Plotted {
    const points = this.#readings.map(({ at, samples }, index) => ({ at, values: values(samples, index) }));
    return { title, unit, lines, points };
  }

  /** How much a counter grew a second since the reading before. */
  #rate(at: number, name: string): number | undefined {
    const now = this.#readings[at];
    const before = this.#readings[at - 1];
    if (!now || !before) return undefined;
    const grown = (total(now.samples, name) ?? 0) - (total(before.samples, name) ?? 0);
    // A counter that fell belongs to a server that was started anew, or to a model that left.
    return grown < 0 ? undefined : grown / ((now.at - before.at) / 1000);
  }

  #times(at: number, name: string): (number | undefined)[] {
    const now = buckets(this.#readings[at]?.samples ?? [], name);
    const before = buckets(this.#readings[Math.max(0, at - WINDOW)]?.samples ?? [], name);
    return [quantile(before, now, 0.5), quantile(before, now, 0.95)];
  }
}

function part(held: number | undefined, all: number | undefined): number | undefined {
  return held === undefined || !all ? undefined : held / all;
}
