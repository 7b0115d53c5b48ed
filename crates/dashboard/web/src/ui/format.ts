// Numbers and times as people read them.

export const NONE = "–";

const whole = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });
const compact = new Intl.NumberFormat("en", { notation: "compact", maximumFractionDigits: 1 });

export function count(value: number | null | undefined): string {
  if (value === null || value === undefined) return NONE;
  return Math.abs(value) < 1_000_000 ? whole.format(value) : compact.format(value);
}

/** A rate: one digit after the point while it is small, so that 0.4 is not shown as 0. */
export function rate(value: number | null | undefined): string {
  if (value === null || value === undefined) return NONE;
  return value > 0 && value < 10 ? value.toFixed(1) : count(value);
}

export function percent(value: number | null | undefined): string {
  return value === null || value === undefined ? NONE : `${(value * 100).toFixed(1)} %`;
}

/** The adjusted Rand index is no percentage: it is 0 for chance and may be negative. */
export function index(value: number | null | undefined): string {
  return value === null || value === undefined ? NONE : value.toFixed(2);
}

export function duration(ms: number | null | undefined): string {
  if (ms === null || ms === undefined) return NONE;
  if (ms < 1) return "< 1 ms";
  if (ms < 1_000) return `${whole.format(ms)} ms`;
  if (ms < 60_000) return `${(ms / 1_000).toFixed(1)} s`;
  if (ms < 3_600_000) return `${whole.format(Math.floor(ms / 60_000))} min`;
  return `${(ms / 3_600_000).toFixed(1)} h`;
}

export function ago(then_ms: number | null, now_ms: number): string {
  if (then_ms === null) return NONE;
  const ms = Math.max(0, now_ms - then_ms);
  return ms < 1_500 ? "just now" : `${duration(ms)} ago`;
}

const clock = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit", second: "2-digit" });

export function time(ms: number): string {
  return clock.format(new Date(ms));
}

export function plural(n: number, one: string, many = `${one}s`): string {
  return `${count(n)} ${n === 1 ? one : many}`;
}
