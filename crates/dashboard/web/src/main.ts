// Puts the page together: the feed writes the state, the state wakes the panels, once per animation frame.
import { connect } from "./live";
import { Charts } from "./panel/charts";
import { Draw } from "./panel/draw";
import { Galleries } from "./panel/galleries";
import { Intro } from "./panel/intro";
import { Stream } from "./panel/stream";
import { Tables } from "./panel/tables";
import { Tiles } from "./panel/tiles";
import { State } from "./state";
import { h, text } from "./ui/dom";
import type { Change, Panel } from "./ui/panel";
import { themeButton } from "./ui/theme";

function required<T extends HTMLElement>(id: string): T {
  const element = document.getElementById(id);
  if (!element) throw new Error(`the page has no element ${id}`);
  return element as T;
}

const state = new State();
const changes = new Set<Change>();
const intro = new Intro();
const galleries = new Galleries();
const draw = new Draw((segment) => galleries.highlight(segment));
const charts = new Charts();
const tiles = new Tiles();
const stream = new Stream();
const tables = new Tables();
const panels: Panel[] = [intro, tiles, stream, galleries, draw, charts, tables];

function changed(change: Change): void {
  if (changes.size === 0) requestAnimationFrame(render);
  changes.add(change);
}

function render(): void {
  const now = new Set(changes);
  changes.clear();
  renderLink();
  for (const panel of panels) panel.update(state, now);
}

const link = required("link");
const linkText = required("link-text");
const LINK_TEXT = { connecting: "Connecting", live: "Live", lost: "Connecting again" } as const;

function renderLink(): void {
  link.dataset["state"] = state.link;
  text(linkText, LINK_TEXT[state.link]);
  if (state.server) text(required("foot-text"), `Pelton ${state.server.version}`);
}

themeButton(required<HTMLButtonElement>("theme"), () => changed("theme"));

required("main").append(
  intro.element,
  tiles.element,
  stream.element,
  h("div", { class: "explore" }, draw.element, h("div", { class: "stack" }, galleries.element, charts.lead)),
  charts.element,
  tables.element,
);

connect("/api/live", {
  snapshot(data) {
    if (state.applySnapshot(data)) intro.restarted(data.server.started_ms);
    changed("snapshot");
  },
  images(data) {
    state.applyImages(data);
    for (const image of data.images) draw.offer(image);
    changed("images");
  },
  tick(data) {
    state.applyTick(data);
    changed("tick");
  },
  link(to) {
    state.link = to;
    changed("link");
  },
});
