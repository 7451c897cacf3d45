// A plot of some minutes.

import { bytes, duration, percent, short } from "../ui/format.ts";
import type { Plotted } from "./series.ts";

const WIDE = 320;
const HIGH = 110;
/** What is shown, in milliseconds. */
const SPAN = 120_000;

export function say(value: number | undefined, unit: Plotted["unit"]): string {
  if (value === undefined) return "–";
  if (unit === "seconds") return duration(value * 1000);
  if (unit === "bytes") return bytes(value);
  return unit === "part" ? percent(value) : short(value);
}

/** The next number that is easily read: 1, 2 or 5 with noughts. */
export function ceiling(value: number): number {
  if (!(value > 0)) return 1;
  const size = 10 ** Math.floor(Math.log10(value));
  return size * ([1, 2, 5, 10].find((step) => step * size >= value) ?? 10);
}

export function Plot({ title, unit, lines, points }: Plotted) {
  const last = points.at(-1);
  const end = last?.at ?? 0;
  const seen = points.filter(({ at }) => at >= end - SPAN);
  const most = Math.max(0, ...seen.flatMap(({ values }) => values.filter((value) => value !== undefined)));
  const top = unit === "part" ? 1 : ceiling(most);
  const x = (at: number): number => WIDE - ((end - at) / SPAN) * WIDE;
  const y = (value: number): number => HIGH - (value / top) * (HIGH - 4);
  const now = lines.map((name, index) => ({ name, value: say(last?.values[index], unit) }));
  return (
    <section class="plot" aria-label={title}>
      <h2>{title}</h2>
      <div class="plot-frame">
        <svg
          viewBox={`0 0 ${WIDE} ${HIGH}`} preserveAspectRatio="none" role="img"
          aria-label={`${title}, the last two minutes; now ${now.map(({ name, value }) => `${name} ${value}`).join(", ") || "nothing"}`}
        >
          {[0.25, 0.5, 0.75].map((part) => <line key={part} class="grid" x1="0" x2={WIDE} y1={y(top * part)} y2={y(top * part)} />)}
          {lines.map((name, index) => (
            <path key={name} class={`line line-${index % 4}`} d={line(seen.map(({ at, values }) => [x(at), at, values[index]]), y)} />
          ))}
        </svg>
        <span class="top-value" aria-hidden="true">{say(top, unit)}</span>
      </div>
      <dl class="legend">
        {now.map(({ name, value }, index) => (
          <div key={name}>
            <dt><i class={`key line-${index % 4}`} aria-hidden="true" />{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
        {now.length === 0 && <p class="quiet">No model is in memory.</p>}
      </dl>
    </section>
  );
}

/** A path through the points that have a value, broken where there is none. */
function line(points: [number, number, number | undefined][], y: (value: number) => number): string {
  let path = "";
  let pen = false;
  for (const [x, , value] of points) {
    if (value !== undefined) path += `${pen ? "L" : "M"}${x.toFixed(1)} ${y(value).toFixed(1)}${pen ? "" : "h0.01"}`;
    pen = value !== undefined;
  }
  return path;
}
