// Numbers and times in words.

export function bytes(count: number): string {
  const units = ["B", "kB", "MB", "GB", "TB"];
  let value = count;
  let unit = 0;
  while (value >= 1000 && unit < units.length - 1) {
    value /= 1000;
    unit += 1;
  }
  return `${value.toFixed(value < 10 && unit > 0 ? 1 : 0)} ${units[unit]}`;
}

export function duration(milliseconds: number): string {
  if (milliseconds < 1) return `${milliseconds.toFixed(2)} ms`;
  if (milliseconds < 1000) return `${Math.round(milliseconds)} ms`;
  const seconds = milliseconds / 1000;
  if (seconds < 60) return `${seconds.toFixed(1)} s`;
  return `${Math.floor(seconds / 60)} min ${Math.round(seconds % 60)} s`;
}

export function count(value: number): string {
  return Math.round(value).toLocaleString("en");
}

/** A number with as many digits as say something. */
export function short(value: number): string {
  if (!Number.isFinite(value)) return "–";
  const size = Math.abs(value);
  if (size >= 100 || Number.isInteger(value)) return count(value);
  return size >= 10 ? value.toFixed(1) : value.toFixed(2);
}

export function percent(part: number): string {
  const value = part * 100;
  return `${value >= 10 || value === 0 ? Math.round(value) : value.toPrecision(1)} %`;
}

/** Under which heading a chat stands. */
export function ageOf(time: number, now = Date.now()): string {
  const day = (at: number): number => new Date(at).setHours(0, 0, 0, 0);
  const days = Math.round((day(now) - day(time)) / 86_400_000);
  if (days <= 0) return "Today";
  if (days === 1) return "Yesterday";
  if (days < 7) return "The last seven days";
  return days < 31 ? "The last month" : "Older";
}
