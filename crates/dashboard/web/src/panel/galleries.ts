// One card per cluster: the mean of what fell into it, its newest members, its size, and what its labels say.
import { State } from "../state";
import { decode, digit, hue, paint } from "../ui/digit";
import { h, List, text } from "../ui/dom";
import { plural } from "../ui/format";
import type { Change, Panel } from "../ui/panel";
import type { Cluster, Image } from "../wire";
import { imageTitle } from "./stream";

const MEMBERS = 18;
const LABELS = 4;

type Full = Cluster & { members: Image[] };

class Card extends HTMLElement {
  static readonly tag = "pelton-cluster";
  readonly mean: HTMLCanvasElement;
  readonly size = h("span", { class: "cluster-size" });
  readonly majority = h("p", { class: "cluster-majority" });
  readonly bar = h("div", { class: "bar", "aria-hidden": "true" });
  readonly members: HTMLCanvasElement[] = [];
  private shownMean: string | null = null;
  private readonly shown: string[] = [];

  constructor(segment: number, width: number, height: number) {
    super();
    this.className = "card cluster";
    this.id = `cluster-${segment}`;
    this.setAttribute("role", "listitem");
    this.setAttribute("tabindex", "-1");
    this.style.setProperty("--hue", hue(segment));
    this.title = `segment ${segment} in the topic`;
    this.mean = digit(width, height, `Mean image of cluster ${State.letter(segment)}`);
    this.mean.classList.add("mean");
    const row = h("div", { class: "members" });
    for (let i = 0; i < MEMBERS; i += 1) {
      const member = digit(width, height, "");
      member.setAttribute("aria-hidden", "true");
      this.members.push(member);
      row.append(member);
    }
    this.append(
      h("div", { class: "cluster-head" }, h("h3", { class: "letter" }, State.letter(segment)), this.size),
      h("div", { class: "cluster-body" }, this.mean, h("div", { class: "cluster-text" }, this.majority, this.bar)),
      row,
    );
  }

  set(cluster: Full): void {
    text(this.size, plural(cluster.size, "image"));
    if (cluster.mean && cluster.mean !== this.shownMean) {
      paint(this.mean, decode(cluster.mean));
      this.shownMean = cluster.mean;
    }
    this.setLabels(cluster);
    this.members.forEach((canvas, i) => {
      const image = cluster.members[i];
      const key = image ? `${image.id}@${image.at_ms}` : "";
      if (this.shown[i] === key) return;
      this.shown[i] = key;
      paint(canvas, image?.pixels ? decode(image.pixels) : []);
      canvas.title = image ? imageTitle(image) : "";
    });
  }

  private setLabels(cluster: Full): void {
    const judged = cluster.labels.reduce((sum, [, n]) => sum + n, 0);
    const [first] = cluster.labels;
    if (!first || judged === 0) {
      this.majority.replaceChildren(h("span", { class: "muted" }, "no labels yet"));
      this.bar.replaceChildren();
      return;
    }
    const share = Math.round((first[1] / judged) * 100);
    const line = `mostly ${first[0]} · ${share} %`;
    if (this.majority.dataset["line"] !== line) {
      this.majority.dataset["line"] = line;
      this.majority.replaceChildren("mostly ", h("b", {}, first[0]), h("span", { class: "muted" }, `${share} %`));
    }
    const parts = cluster.labels.slice(0, LABELS).map(([label, n]) => {
      const part = h("span", { title: `${label}: ${n}` });
      part.style.setProperty("--part", String(n / judged));
      return part;
    });
    this.bar.replaceChildren(...parts);
  }
}

customElements.define(Card.tag, Card);

export class Galleries implements Panel {
  readonly element: HTMLElement;
  private readonly grid = h("div", { class: "clusters", role: "list", "aria-label": "Clusters" });
  private readonly empty = h("p", { class: "empty card" }, "No image has a cluster yet. The model starts when it has seen enough to place its first centres.");
  private readonly list: List<Full, Card>;
  private size: [number, number] = [8, 8];

  constructor() {
    this.element = h(
      "section",
      { class: "galleries", "aria-labelledby": "clusters-title" },
      h(
        "div",
        { class: "section-head" },
        h("h2", { id: "clusters-title" }, "Clusters"),
        h("p", { class: "note" }, "Named by letters, because no cluster was ever told which digit it holds. The labels only judge."),
      ),
      this.grid,
      this.empty,
    );
    this.list = new List(
      this.grid,
      (cluster) => String(cluster.segment),
      (cluster) => new Card(cluster.segment, ...this.size),
      (card, cluster) => card.set(cluster),
    );
  }

  update(state: State, _: ReadonlySet<Change>): void {
    this.element.hidden = !state.gallery;
    if (!state.gallery) return;
    this.size = [state.gallery.width, state.gallery.height];
    const clusters = [...state.clusters.values()].sort((a, b) => a.segment - b.segment);
    this.list.set(clusters);
    this.empty.hidden = clusters.length > 0;
  }

  /** Marks the card an answer named; the mark stays until the next one. */
  highlight(segment: number | null): void {
    for (const card of this.grid.querySelectorAll(".chosen")) card.classList.remove("chosen");
    if (segment === null) return;
    const card = this.list.get(String(segment));
    if (!card) return;
    void card.offsetWidth; // restarts the animation when the same card is chosen again
    card.classList.add("chosen");
  }
}
