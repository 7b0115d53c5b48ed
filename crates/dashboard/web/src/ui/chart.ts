// A chart over time: uPlot inside a figure, with a legend of our own that says the last value in words.
import uPlot from "uplot";
import { h, text } from "./dom";
import { NONE, time } from "./format";

export interface Line {
  label: string;
  /** Name of a custom property of the style sheet. */
  color: string;
  format(value: number | null): string;
  dashed?: boolean;
  filled?: boolean;
  stepped?: boolean;
}

export interface ChartOptions {
  title: string;
  note: string;
  empty: string;
  lines: Line[];
  /** Fixed range of the y axis; otherwise from 0 to a little above the largest value. */
  range?: [number, number];
  axis(value: number): string;
}

const HEIGHT = 190;
const AXIS_FONT = "12px system-ui, sans-serif";
/** The x axis never spans less than this, so that the first seconds do not look like a storm. */
const SPAN_MIN_S = 30;
/** After a long pause the run before it moves out of sight. */
const SPAN_MAX_S = 1_200;
const STEPS_S = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600];
const SYNC = uPlot.sync("time");

export class Chart {
  readonly element: HTMLElement;
  private readonly box = h("div", { class: "chart-box" });
  private readonly values: HTMLElement[] = [];
  private readonly when = h("span", { class: "chart-when" });
  private readonly none: HTMLElement;
  private plot: uPlot | null = null;
  private data: uPlot.AlignedData = [[]];
  private marks: number[] = [];

  constructor(private readonly options: ChartOptions) {
    const legend = h("ul", { class: "legend" });
    for (const line of options.lines) {
      const value = h("b", {}, NONE);
      this.values.push(value);
      const swatch = h("span", { class: line.dashed ? "swatch dashed" : "swatch", "aria-hidden": "true" });
      swatch.style.setProperty("--swatch", `var(${line.color})`);
      legend.append(h("li", {}, swatch, `${line.label} `, value));
    }
    this.none = h("p", { class: "empty" }, options.empty);
    this.box.append(this.none);
    this.element = h(
      "figure",
      { class: "card chart" },
      h("figcaption", {}, h("h3", {}, options.title), h("p", { class: "note" }, options.note)),
      legend,
      this.box,
      this.when,
    );
    new ResizeObserver(() => this.resize()).observe(this.box);
  }

  /** `data`: seconds, then one array per line. `marks`: seconds at which the server was started anew. */
  set(data: uPlot.AlignedData, marks: number[]): void {
    this.data = data;
    this.marks = marks;
    const empty = data[0].length === 0;
    this.none.hidden = !empty;
    if (empty && !this.plot) return;
    if (this.plot) this.plot.setData(data);
    else this.build();
    this.describe(null);
  }

  /** Colours are read when a plot is built, so a new theme builds it anew. */
  retheme(): void {
    if (!this.plot) return;
    this.plot.destroy();
    this.plot = null;
    this.build();
  }

  private resize(): void {
    const width = this.box.clientWidth;
    if (this.plot && width > 0 && width !== this.plot.width) this.plot.setSize({ width, height: HEIGHT });
  }

  private build(): void {
    const width = this.box.clientWidth;
    if (width === 0) return;
    const style = getComputedStyle(this.element);
    const color = (name: string): string => style.getPropertyValue(name).trim();
    const stepped = uPlot.paths.stepped?.({ align: 1 });
    const grid = { stroke: color("--line"), width: 1 };
    const axis = { stroke: color("--muted"), font: AXIS_FONT, grid, ticks: { show: false } };
    this.plot = new uPlot(
      {
        width,
        height: HEIGHT,
        legend: { show: false },
        padding: [18, 30, 0, 0],
        cursor: { sync: { key: SYNC.key }, drag: { x: false, y: false }, points: { size: 7 } },
        scales: { x: { time: true, range: xRange }, y: { range: this.options.range ?? yRange } },
        axes: [
          { ...axis, space: 62, size: 28, incrs: STEPS_S, values: (_, ticks) => ticks.map((s) => time(s * 1_000)) },
          { ...axis, size: 52, space: 34, values: (_, ticks) => ticks.map((v) => this.options.axis(v)) },
        ],
        series: [
          {},
          ...this.options.lines.map((line) => ({
            stroke: color(line.color),
            width: line.dashed ? 1.75 : 2.25,
            points: { show: () => false, filter: lonely, size: 5 },
            ...(line.dashed ? { dash: [5, 4] } : {}),
            ...(line.filled ? { fill: `color-mix(in srgb, ${color(line.color)} 14%, transparent)` } : {}),
            ...(line.stepped && stepped ? { paths: stepped } : {}),
          })),
        ],
        hooks: {
          setCursor: [(plot) => this.describe(plot.cursor.idx ?? null)],
          draw: [(plot) => this.drawMarks(plot, color("--muted"))],
        },
      },
      this.data,
      this.box,
    );
    this.plot.root.setAttribute("aria-hidden", "true"); // the legend says it in words
  }

  private describe(index: number | null): void {
    const last = this.data[0].length - 1;
    const hovered = index !== null && index <= last;
    this.options.lines.forEach((line, i) => {
      const series = this.data[i + 1] ?? [];
      let at = hovered ? index : last;
      // The newest second may not have a value of every line yet.
      while (!hovered && at > 0 && (series[at] ?? null) === null) at -= 1;
      text(this.values[i]!, line.format(series[at] ?? null));
    });
    const second = hovered ? this.data[0][index] : undefined;
    text(this.when, second === undefined ? "" : `at ${time(second * 1_000)}`);
  }

  private drawMarks(plot: uPlot, color: string): void {
    const { ctx, bbox } = plot;
    for (const mark of this.marks) {
      const x = Math.round(plot.valToPos(mark, "x", true));
      if (x <= bbox.left || x >= bbox.left + bbox.width) continue;
      ctx.save();
      ctx.strokeStyle = color;
      ctx.fillStyle = color;
      ctx.setLineDash([3 * devicePixelRatio, 3 * devicePixelRatio]);
      ctx.lineWidth = devicePixelRatio;
      ctx.beginPath();
      ctx.moveTo(x, bbox.top);
      ctx.lineTo(x, bbox.top + bbox.height);
      ctx.stroke();
      ctx.font = `${11 * devicePixelRatio}px system-ui, sans-serif`;
      const left = x > bbox.left + bbox.width - 80 * devicePixelRatio;
      ctx.textAlign = left ? "right" : "left";
      ctx.fillText("restart", x + (left ? -5 : 5) * devicePixelRatio, bbox.top - 5 * devicePixelRatio);
      ctx.restore();
    }
  }
}

/** A value without neighbours makes no line: it is drawn as a dot. */
function lonely(plot: uPlot, series: number): number[] {
  const values = plot.data[series] ?? [];
  const there = (at: number): boolean => (values[at] ?? null) !== null;
  return Array.from(values.keys()).filter((at) => there(at) && !there(at - 1) && !there(at + 1));
}

function xRange(_: uPlot, min: number | null, max: number | null): [number, number] {
  if (min === null || max === null) return [0, SPAN_MIN_S];
  return [Math.max(Math.min(min, max - SPAN_MIN_S), max - SPAN_MAX_S), max];
}

function yRange(_: uPlot, __: number | null, max: number | null): [number, number] {
  return [0, max === null || max <= 0 ? 1 : max * 1.12];
}
