// Draw a digit and ask: the drawing goes to the uploads topic, and the answer comes back by the answers topic.
import { ApiError, produce } from "../api";
import { State } from "../state";
import { decode, digit, hue, paint } from "../ui/digit";
import { h, text } from "../ui/dom";
import { duration } from "../ui/format";
import { Pad } from "../ui/pad";
import type { Change, Panel } from "../ui/panel";
import { rasterise } from "../ui/raster";
import type { Image } from "../wire";

/** After this long without an answer we say so; it may still come. */
const PATIENCE_MS = 10_000;

interface Question {
  id: string;
  asked: number;
  timer: number;
}

export class Draw implements Panel {
  readonly element: HTMLElement;
  private readonly pad: Pad;
  private readonly seen: HTMLElement = h("div", { class: "seen" });
  private readonly ask = h("button", { type: "button", class: "primary", disabled: true }, "Which cluster?");
  private readonly clear = h("button", { type: "button" }, "Clear");
  private readonly borrow = h("button", { type: "button", class: "quiet" }, "Ask with the newest image");
  private readonly answer = h("div", { class: "answer", role: "status", "aria-live": "polite" });
  private preview: HTMLCanvasElement | null = null;
  private question: Question | null = null;
  private state: State | null = null;

  constructor(private readonly chosen: (segment: number | null) => void) {
    this.pad = new Pad({
      changed: () => this.drawn(),
      ask: () => void this.send(),
      clear: () => this.reset(),
    });
    this.ask.addEventListener("click", () => void this.send());
    this.clear.addEventListener("click", () => this.reset());
    this.borrow.addEventListener("click", () => void this.sendNewest());
    this.element = h(
      "section",
      { class: "card draw", "aria-labelledby": "draw-title" },
      h("h2", { id: "draw-title" }, "Draw a digit"),
      h("p", { class: "note", id: "pad-help" }, "Mouse, finger, or keys: arrows move, Space is the pen, Enter asks, Escape clears."),
      this.pad.element,
      h("div", { class: "ask-row" }, this.seen, h("div", { class: "buttons" }, this.ask, this.clear)),
      this.borrow,
      this.answer,
    );
    this.say("The question goes through the log like any other record, and so does the answer.");
  }

  update(state: State, changes: ReadonlySet<Change>): void {
    this.state = state;
    this.element.hidden = !state.gallery;
    if (!state.gallery) return;
    if (!this.preview) {
      this.preview = digit(state.gallery.width, state.gallery.height, "What the network sees");
      this.preview.title = "What the network sees";
      this.seen.replaceChildren(this.preview);
    }
    this.borrow.disabled = state.link !== "live" || !state.images.some((i) => i.pixels);
    this.enable();
    if (changes.has("theme")) this.pad.repaint();
  }

  /** Every image of the live feed passes here: one of them is the answer. */
  offer(image: Image): void {
    if (!this.question || image.id !== this.question.id || image.kind !== "uploaded") return;
    const took = performance.now() - this.question.asked;
    window.clearTimeout(this.question.timer);
    this.question = null;
    this.enable();
    this.show(image, took);
  }

  private drawn(): void {
    const gallery = this.state?.gallery;
    if (!gallery || !this.preview) return;
    paint(this.preview, this.pad.strokes.length > 0 ? rasterise(this.pad.strokes, gallery.width, gallery.height) : []);
    this.enable();
  }

  private enable(): void {
    this.ask.disabled = this.pad.strokes.length === 0 || this.question !== null || this.state?.link !== "live";
  }

  private reset(): void {
    this.pad.clear();
    this.chosen(null);
    this.say("");
  }

  private async send(): Promise<void> {
    const gallery = this.state?.gallery;
    if (!gallery || this.ask.disabled) return;
    await this.put(rasterise(this.pad.strokes, gallery.width, gallery.height), "drawn");
  }

  private async sendNewest(): Promise<void> {
    const image = this.state?.images.find((i) => i.pixels);
    if (!image?.pixels || this.question) return;
    const values = [...decode(image.pixels)];
    this.pad.clear();
    if (this.preview) paint(this.preview, values);
    await this.put(values, "again");
  }

  private async put(pixels: number[], prefix: string): Promise<void> {
    const gallery = this.state?.gallery;
    if (!gallery) return;
    const id = `${prefix}-${Date.now().toString(36)}-${Math.random().toString(36).slice(2, 8)}`;
    const timer = window.setTimeout(() => this.late(), PATIENCE_MS);
    this.question = { id, asked: performance.now(), timer };
    this.enable();
    this.chosen(null);
    this.say("Asked. Waiting for the answer…");
    try {
      await produce(gallery.uploads, [{ id, pixels }]);
    } catch (error) {
      window.clearTimeout(timer);
      this.question = null;
      this.enable();
      this.say(`The question was not taken: ${error instanceof ApiError ? error.message : String(error)}.`, true);
    }
  }

  private late(): void {
    const refused = this.state?.status?.queries.reduce((n, q) => n + q.dead_letters, 0) ?? 0;
    const hint = refused > 0 ? " Look at the dead letters below." : " Is the query that answers running?";
    this.say(`No answer for ${duration(PATIENCE_MS)}.${hint} You may ask again.`, true);
    this.question = null;
    this.enable();
  }

  private say(message: string, wrong = false): void {
    this.answer.className = wrong ? "answer wrong" : "answer";
    this.answer.replaceChildren(message);
  }

  private show(image: Image, took_ms: number): void {
    this.chosen(image.segment);
    if (image.segment === null) {
      this.say("The model has no clusters yet. Ask again when it has seen some images.");
      return;
    }
    const cluster = this.state?.clusters.get(image.segment);
    const judged = cluster?.labels.reduce((sum, [, n]) => sum + n, 0) ?? 0;
    const first = cluster?.labels[0];
    const letter = h("span", { class: "letter big", "aria-hidden": "true" }, State.letter(image.segment));
    letter.style.setProperty("--hue", hue(image.segment));
    const holds = first && judged > 0 ? `, which mostly holds ${first[0]} (${Math.round((first[1] / judged) * 100)} %)` : "";
    const details = h("p", { class: "note" });
    const version = image.model_version === null ? "" : `, model version ${image.model_version}`;
    text(details, `Answered in ${duration(took_ms)} (in the log: ${duration(image.latency_ms)})${version}.`);
    this.answer.className = "answer";
    this.answer.replaceChildren(
      letter,
      h("div", {}, h("p", { class: "verdict" }, "Cluster ", h("b", {}, State.letter(image.segment)), holds, "."), details,
        h("p", {}, h("a", { href: `#cluster-${image.segment}` }, "Show its gallery"))),
    );
  }
}
