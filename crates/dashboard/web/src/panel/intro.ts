// The headline, and the notice that the server was lost or came back.
import type { State } from "../state";
import { h, text } from "../ui/dom";
import { count, time } from "../ui/format";
import type { Change, Panel } from "../ui/panel";

export class Intro implements Panel {
  private readonly title = h("h1", {}, "Pelton");
  private readonly lead = h("p", { class: "lead" });
  private readonly notice = h("p", { class: "notice", role: "status", hidden: true });
  readonly element = h("section", { class: "intro" }, this.notice, this.title, this.lead);
  private restarted_ms: number | null = null;

  restarted(at_ms: number): void {
    this.restarted_ms = at_ms;
  }

  update(state: State, _: ReadonlySet<Change>): void {
    if (state.server) {
      text(this.title, state.gallery ? "It sorts digits nobody has named" : "Streams, queries and models, live");
      text(
        this.lead,
        state.gallery
          ? `Images arrive on the topic “${state.gallery.enrol}”. A neural network turns each into a signature, and a clustering model learns from every micro-batch while it answers. No label ever reaches it.`
          : "What runs in this server now: topics with their records, queries with their progress, and the models they keep up to date.",
      );
    }
    const lost = state.link === "lost";
    this.notice.hidden = !lost && this.restarted_ms === null;
    this.notice.dataset["kind"] = lost ? "lost" : "back";
    if (lost) text(this.notice, "The server does not answer. This page shows what it knew and connects again by itself.");
    else if (this.restarted_ms !== null) text(this.notice, this.back(state, this.restarted_ms));
  }

  private back(state: State, at_ms: number): string {
    const { model } = state;
    const where = model ? ` ${model.name} is at version ${count(model.version)}, with ${count(model.rows_learned)} rows learned.` : "";
    return `The server was started again at ${time(at_ms)} and the page is connected again.${where}`;
  }
}
