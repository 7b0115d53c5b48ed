// The four charts: is it right, is it fast, how much is it, and which model answered.
import type uPlot from "uplot";
import type { State } from "../state";
import { Chart } from "../ui/chart";
import { h } from "../ui/dom";
import { count, duration, percent, rate } from "../ui/format";
import type { Change, Panel } from "../ui/panel";
import type { Point } from "../wire";

/** Seconds without anything: longer ones break the line. */
const GAP_S = 4;

const percentAxis = (v: number): string => `${Math.round(v * 100)} %`;

function purity(): Chart {
  return new Chart({
    title: "Purity",
    note: "Share of recent answers that show what most images of their cluster show.",
    empty: "Nothing has been judged yet: it needs answers and their labels.",
    range: [0, 1],
    axis: percentAxis,
    lines: [
      { label: "Signature", color: "--signature", format: percent },
      { label: "Raw pixels", color: "--raw", format: percent, dashed: true },
    ],
  });
}

function speed(): Chart {
  return new Chart({
    title: "Per second",
    note: "Images answered, and records appended to all topics.",
    empty: "Nothing has come in yet.",
    axis: (v) => rate(v),
    lines: [
      { label: "Images", color: "--signature", format: rate, filled: true },
      { label: "Records", color: "--muted", format: rate, dashed: true },
    ],
  });
}

function records(): Chart {
  return new Chart({
    title: "Records per second",
    note: "Appended to all topics.",
    empty: "Nothing has come in yet.",
    axis: (v) => rate(v),
    lines: [{ label: "Records", color: "--signature", format: rate, filled: true }],
  });
}

function latency(): Chart {
  return new Chart({
    title: "Latency, end to end",
    note: "From the question's record in the log to the answer's.",
    empty: "Nothing has been answered yet.",
    axis: (v) => (v === 0 ? "0" : duration(v)),
    lines: [
      { label: "p50", color: "--signature", format: duration, filled: true },
      { label: "p99", color: "--raw", format: duration, dashed: true },
    ],
  });
}

function versions(names: [string, string]): Chart {
  return new Chart({
    title: "Model versions",
    note: "Rows learned at each committed version. A restart must not make it fall.",
    empty: "No model has committed a version yet.",
    axis: (v) => count(v),
    lines: [
      { label: names[0], color: "--signature", format: count, stepped: true },
      ...(names[1] ? [{ label: names[1], color: "--raw", format: count, stepped: true, dashed: true }] : []),
    ],
  });
}

export class Charts implements Panel {
  readonly element = h("section", { class: "charts", "aria-label": "Charts over time" });
  /** The chart that says whether it works: it stands beside the galleries. */
  readonly lead = h("div");
  private shape = "";
  private names: [string, string] = ["", ""];
  private byPoint: { chart: Chart; lines: ((p: Point) => number | null)[] }[] = [];
  private history: Chart | null = null;

  update(state: State, changes: ReadonlySet<Change>): void {
    this.arrange(state);
    if (changes.has("theme")) for (const chart of this.all()) chart.retheme();
    if (!changes.has("tick") && !changes.has("snapshot")) return;
    const marks = startsToMark(state);
    for (const { chart, lines } of this.byPoint) chart.set(columns(state.points, lines), marks);
    this.history?.set(this.versionColumns(state), marks);
  }

  /** Which charts there are depends on whether there is a gallery and on the models' names. */
  private arrange(state: State): void {
    const learning = state.status?.models.filter((m) => m.updated_ms !== null).map((m) => m.name) ?? [];
    const known = state.gallery ? [state.gallery.model, state.gallery.raw_model] : learning;
    this.names = [known[0] ?? "model", known[1] ?? ""];
    const shape = `${state.gallery !== null}/${this.names.join("/")}`;
    if (shape === this.shape) return;
    this.shape = shape;
    this.history = versions(this.names);
    this.byPoint = state.gallery
      ? [
          { chart: purity(), lines: [(p) => p.purity, (p) => p.purity_raw] },
          { chart: latency(), lines: [(p) => p.p50, (p) => p.p99] },
          { chart: speed(), lines: [(p) => p.answers, (p) => p.records] },
        ]
      : [{ chart: records(), lines: [(p) => p.records] }];
    const elements = this.all().map((chart) => chart.element);
    this.lead.replaceChildren(...(state.gallery ? elements.splice(0, 1) : []));
    this.lead.hidden = !state.gallery;
    this.element.replaceChildren(...elements);
  }

  private all(): Chart[] {
    return [...this.byPoint.map(({ chart }) => chart), ...(this.history ? [this.history] : [])];
  }

  private versionColumns(state: State): uPlot.AlignedData {
    const named = this.names.filter((name) => name !== "");
    const times = new Set<number>();
    for (const name of named) for (const v of state.versions.get(name) ?? []) times.add(v.committed_ms / 1_000);
    const x = [...times].sort((a, b) => a - b);
    const place = new Map(x.map((t, i) => [t, i]));
    const rows = named.map((name) => {
      const row: (number | null)[] = new Array<number | null>(x.length).fill(null);
      for (const v of state.versions.get(name) ?? []) row[place.get(v.committed_ms / 1_000)!] = v.rows_learned;
      let last: number | null = null;
      return row.map((value) => (last = value ?? last));
    });
    return [x, ...rows];
  }
}

function startsToMark(state: State): number[] {
  const seconds = state.points.length > 0 ? state.points[0]!.t : Infinity;
  const starts = new Set([...state.starts, state.server?.started_ms ?? Infinity].map((ms) => ms / 1_000));
  return [...starts].filter((s) => s > seconds + 1);
}

function columns(points: Point[], lines: ((p: Point) => number | null)[]): uPlot.AlignedData {
  const x: number[] = [];
  const rows: (number | null)[][] = lines.map(() => []);
  for (const point of points) {
    const last = x.at(-1);
    if (last !== undefined && point.t - last > GAP_S) {
      x.push(last + 1);
      for (const row of rows) row.push(null);
    }
    x.push(point.t);
    lines.forEach((line, i) => rows[i]!.push(line(point)));
  }
  return [x, ...rows];
}
