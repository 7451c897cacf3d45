// Icons: strokes on a grid of 24, drawn for this page.

const PATHS = {
  plus: "M12 5v14M5 12h14",
  menu: "M4 7h16M4 12h16M4 17h16",
  close: "M6 6l12 12M18 6L6 18",
  down: "M6 9l6 6 6-6",
  left: "M15 6l-6 6 6 6",
  right: "M9 6l6 6-6 6",
  send: "M12 19V5M5 12l7-7 7 7",
  stop: "M7 7h10v10H7z",
  edit: "M4 20h4L19 9l-4-4L4 16v4zM13 7l4 4",
  again: "M20 12a8 8 0 1 1-2.5-5.8M20 4v4h-4",
  copy: "M9 9h11v11H9zM5 15H4V4h11v1",
  check: "M5 12l5 5 9-10",
  sliders: "M4 7h9M17 7h3M4 17h3M11 17h9M15 5v4M9 15v4",
  chart: "M4 20h16M6 16l4-5 4 3 5-8",
  more: "M4.5 11.2a.8.8 0 1 0 1.6 0 .8.8 0 1 0-1.6 0M11.2 11.2a.8.8 0 1 0 1.6 0 .8.8 0 1 0-1.6 0M17.9 11.2a.8.8 0 1 0 1.6 0 .8.8 0 1 0-1.6 0",
  key: "M12 15a4 4 0 1 1-8 0 4 4 0 0 1 8 0M11 12l8.5-8.5M16 7l3 3",
  help: "M9 9a3 3 0 1 1 4 2.8c-.8.4-1 .9-1 1.7M12 17h.01M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18",
  sun: "M12 8a4 4 0 1 0 0 8 4 4 0 0 0 0-8M12 2v2M12 20v2M2 12h2M20 12h2M5 5l1.5 1.5M17.5 17.5L19 19M5 19l1.5-1.5M17.5 6.5L19 5",
  moon: "M20 14a8 8 0 1 1-10-10 6.5 6.5 0 0 0 10 10",
  half: "M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18M12 3v18M12 7h6M12 12h9M12 17h6",
  download: "M12 4v11M7 11l5 5 5-5M5 20h14",
  eject: "M6 14l6-8 6 8zM6 18h12",
  shade: "M4 18h4v2H4zM10 12h4v8h-4zM16 6h4v14h-4z",
} as const;

export type IconName = keyof typeof PATHS;

export function Icon({ name }: { name: IconName }) {
  return (
    <svg class="icon" viewBox="0 0 24 24" aria-hidden="true" focusable="false">
      <path d={PATHS[name]} />
    </svg>
  );
}
