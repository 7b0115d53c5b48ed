// Images as they arrive, each over the letter of the cluster it was put into.
import { State } from "../state";
import { h, List, text } from "../ui/dom";
import { decode, digit, hue, paint } from "../ui/digit";
import { count, plural } from "../ui/format";
import type { Change, Panel } from "../ui/panel";
import type { Image } from "../wire";

const SHOWN = 36;

export function imageTitle(image: Image): string {
  const where = image.segment === null ? "no cluster yet" : `cluster ${State.letter(image.segment)}`;
  const label = image.label === null ? "" : `, labelled ${image.label}`;
  return `${image.id}: ${where}${label}`;
}

export class Stream implements Panel {
  readonly element: HTMLElement;
  private readonly strip = h("ul", { class: "strip", "aria-label": "Newest images" });
  private readonly note = h("p", { class: "note" });
  private readonly empty = h("p", { class: "empty" }, "Waiting for the first image.");
  private readonly list: List<Image & { place: number }, HTMLElement>;
  private arrived = -1;

  constructor() {
    this.element = h(
      "section",
      { class: "card stream", "aria-labelledby": "stream-title" },
      h("div", { class: "card-head" }, h("h2", { id: "stream-title" }, "Arriving now"), this.note),
      this.strip,
      this.empty,
    );
    this.list = new List(this.strip, (image) => `${image.id}/${image.place}`, create, () => undefined);
  }

  update(state: State, _: ReadonlySet<Change>): void {
    this.element.hidden = !state.gallery;
    if (!state.gallery) return;
    const status = state.status;
    text(this.note, status ? `${plural(status.answered, "image")} answered, ${count(status.scores.all.judged)} judged by a label` : "");
    if (state.arrived === this.arrived) return;
    this.arrived = state.arrived;
    const { width, height } = state.gallery;
    const items = state.images.slice(0, SHOWN).map((image, i) => ({ ...image, place: state.arrived - i, width, height }));
    this.list.set(items);
    this.empty.hidden = items.length > 0;
  }
}

function create(image: Image & { place: number; width?: number; height?: number }): HTMLElement {
  const canvas = digit(image.width ?? 8, image.height ?? 8, imageTitle(image));
  if (image.pixels) paint(canvas, decode(image.pixels));
  const letter = image.segment === null ? "?" : State.letter(image.segment);
  const item = h(
    "li",
    { class: image.kind === "uploaded" ? "arrival asked" : "arrival", title: imageTitle(image) },
    canvas,
    h("span", { class: "letter", "aria-hidden": "true" }, letter),
  );
  item.style.setProperty("--hue", hue(image.segment));
  return item;
}
