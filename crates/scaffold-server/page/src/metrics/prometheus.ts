// The text that Prometheus reads, as values.

export interface Sample {
  name: string;
  labels: Record<string, string>;
  value: number;
}

const LINE = /^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})?\s+(\S+)(?:\s+-?\d+)?$/;
const LABEL = /([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\]|\\.)*)"/g;

/** The samples of a text; lines that are none are passed over. */
export function parse(text: string): Sample[] {
  const samples: Sample[] = [];
  for (const line of text.split("\n")) {
    if (!line || line.startsWith("#")) continue;
    const match = LINE.exec(line.trim());
    if (!match) continue;
    const labels: Record<string, string> = {};
    for (const [, key, value] of (match[2] ?? "").matchAll(LABEL)) {
      labels[key ?? ""] = (value ?? "").replace(/\\(.)/g, (_, c: string) => (c === "n" ? "\n" : c));
    }
    samples.push({ name: match[1] ?? "", labels, value: numberOf(match[3] ?? "") });
  }
  return samples;
}

function numberOf(text: string): number {
  if (text === "+Inf") return Infinity;
  if (text === "-Inf") return -Infinity;
  return Number(text);
}

/** The sum of all samples of a name; `undefined` where there is none. */
export function total(samples: Sample[], name: string): number | undefined {
  const found = samples.filter((sample) => sample.name === name);
  return found.length ? found.reduce((sum, { value }) => sum + value, 0) : undefined;
}

/** The values of a name by one of its labels. */
export function by(samples: Sample[], name: string, label: string): Map<string, number> {
  const values = new Map<string, number>();
  for (const sample of samples) {
    if (sample.name !== name) continue;
    const key = sample.labels[label] ?? "";
    values.set(key, (values.get(key) ?? 0) + sample.value);
  }
  return values;
}

/** A histogram over all of its labels: how many were not above each bound. */
export function buckets(samples: Sample[], name: string): Map<number, number> {
  const counts = new Map<number, number>();
  for (const { name: other, labels, value } of samples) {
    if (other !== `${name}_bucket`) continue;
    const bound = numberOf(labels.le ?? "NaN");
    if (!Number.isNaN(bound)) counts.set(bound, (counts.get(bound) ?? 0) + value);
  }
  return counts;
}

/**
 * The value that a part of all was not above, such as 0.5 for the median, of what came between two readings of a histogram;
 * between two bounds it is taken to grow evenly. `undefined` where nothing came.
 */
export function quantile(before: Map<number, number>, after: Map<number, number>, part: number): number | undefined {
  const bounds = [...after.keys()].sort((a, b) => a - b);
  const grown = bounds.map((bound) => (after.get(bound) ?? 0) - (before.get(bound) ?? 0));
  const all = grown.at(-1) ?? 0;
  if (!(all > 0)) return undefined;
  const wanted = part * all;
  const at = grown.findIndex((count) => count >= wanted);
  const upper = bounds[at];
  const lower = at > 0 ? (bounds[at - 1] ?? 0) : 0;
  if (upper === undefined || upper === Infinity) return lower;
  const below = at > 0 ? (grown[at - 1] ?? 0) : 0;
  const within = (grown[at] ?? 0) - below;
  return within > 0 ? lower + ((wanted - below) / within) * (upper - lower) : upper;
}
