// The figures at the top: what a visitor should take away after two seconds.
import type { State } from "../state";
import { h, text } from "../ui/dom";
import { ago, count, duration, index, NONE, percent, plural, rate } from "../ui/format";
import type { Change, Panel } from "../ui/panel";

interface Tile {
  element: HTMLElement;
  value: HTMLElement;
  note: HTMLElement;
}

function tile(name: string): Tile {
  const value = h("dd", { class: "tile-value" }, NONE);
  const note = h("dd", { class: "tile-note" });
  return { element: h("div", { class: "tile" }, h("dt", {}, name), value, note), value, note };
}

/** Mean of the last seconds that are over; the current one has only begun. */
export function recentRate(state: State, of: "answers" | "records"): number | null {
  const now = Math.floor((state.status?.now_ms ?? 0) / 1_000);
  const span = 5;
  const seconds = state.points.filter((p) => p.t < now && p.t >= now - span);
  if (state.points.length === 0) return null;
  return seconds.reduce((sum, p) => sum + (p[of] ?? 0), 0) / span;
}

export class Tiles implements Panel {
  readonly element = h("dl", { class: "tiles" });
  private readonly quality = tile("Purity");
  private readonly rand = tile("Adjusted Rand index");
  private readonly latency = tile("Answered in");
  private readonly speed = tile("Images per second");
  private readonly model = tile("Model version");
  private readonly records = tile("Records per second");
  private readonly topics = tile("Topics");
  private readonly queries = tile("Queries running");
  private shown: boolean | null = null;

  update(state: State, _: ReadonlySet<Change>): void {
    const gallery = state.gallery !== null;
    if (this.shown !== gallery && state.status) {
      this.shown = gallery;
      const tiles = gallery
        ? [this.quality, this.rand, this.latency, this.speed, this.model]
        : [this.records, this.topics, this.queries, this.model];
      this.element.replaceChildren(...tiles.map((t) => t.element));
    }
    if (gallery) this.updateGallery(state);
    else this.updatePlain(state);
    this.updateModel(state);
  }

  private updateGallery(state: State): void {
    const status = state.status;
    if (!status) return;
    const { all } = status.scores;
    text(this.quality.value, percent(all.purity));
    text(this.quality.note, `raw pixels: ${percent(all.purity_raw)}`);
    text(this.rand.value, index(all.ari));
    text(this.rand.note, `raw pixels: ${index(all.ari_raw)}`);
    const { enrolled } = status.latency;
    text(this.latency.value, duration(enrolled.p50));
    text(this.latency.note, `p99: ${duration(enrolled.p99)}`);
    text(this.speed.value, rate(recentRate(state, "answers")));
    text(this.speed.note, `${count(status.answered)} in all`);
  }

  private updatePlain(state: State): void {
    const status = state.status;
    if (!status) return;
    text(this.records.value, rate(recentRate(state, "records")));
    text(this.records.note, "in the last five seconds");
    text(this.topics.value, count(status.topics.length));
    text(this.topics.note, plural(status.topics.reduce((sum, t) => sum + t.records, 0), "record"));
    text(this.queries.value, count(status.queries.filter((q) => q.state === "running").length));
    text(this.queries.note, `of ${count(status.queries.length)}`);
  }

  private updateModel(state: State): void {
    const { model, status } = state;
    text(this.model.value, model ? count(model.version) : NONE);
    text(this.model.note, model && status ? `${model.name}, ${ago(model.updated_ms, status.now_ms)}` : "no model yet");
  }
}
