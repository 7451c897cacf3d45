// What the server is at, drawn every second.

import { useEffect, useState } from "preact/hooks";
import { useCell } from "../cell.ts";
import { history, look, problem, reading } from "./collect.ts";
import { Plot } from "./plot.tsx";

export function Metrics() {
  const [paused, setPaused] = useState(false);
  const trouble = useCell(problem);
  return (
    <main class="metrics" id="main" aria-label="Metrics" tabIndex={-1}>
      <div class="metrics-head">
        <p class="quiet">
          The last two minutes of this server, read every second. <a href="/metrics" target="_blank" rel="noopener">As text</a>
        </p>
        <button type="button" class="button" aria-pressed={paused} onClick={() => setPaused(!paused)}>Pause</button>
      </div>
      {trouble && <p class="trouble" role="alert">{trouble}</p>}
      {paused ? <Plots /> : <Live />}
    </main>
  );
}

function Live() {
  useCell(reading);
  useEffect(look, []);
  return <Plots />;
}

function Plots() {
  return <div class="plots">{history.plots().map((plot) => <Plot key={plot.title} {...plot} />)}</div>;
}
