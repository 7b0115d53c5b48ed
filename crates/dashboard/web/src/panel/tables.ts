// What runs, in tables: models, queries with their progress, topics, dead letters.
import type { State } from "../state";
import { h, List, text } from "../ui/dom";
import { ago, count, duration, plural, rate } from "../ui/format";
import type { Change, Panel } from "../ui/panel";
import type { DeadLetter, Model, Query, Topic } from "../wire";

const SAMPLES_SHOWN = 8;

interface Column<T> {
  title: string;
  numeric?: boolean;
  fill(cell: HTMLElement, item: T): void;
}

/** A table. Wide ones (`cards`) become a list of cards on narrow screens, with each cell's title beside it. */
class Table<T> {
  readonly element: HTMLElement;
  private readonly list: List<T, HTMLElement>;
  private readonly empty: HTMLElement;
  private readonly table: HTMLElement;

  constructor(title: string, shape: "cards" | "rows", columns: Column<T>[], key: (item: T) => string, empty: string) {
    const body = h("tbody");
    const head = h("tr", {}, ...columns.map((c) => h("th", { scope: "col", class: c.numeric ? "num" : null }, c.title)));
    this.table = h("table", { "aria-label": title, class: shape }, h("thead", {}, head), body);
    this.empty = h("p", { class: "empty" }, empty);
    this.element = h("section", { class: "card table" }, h("h2", {}, title), this.table, this.empty);
    this.list = new List<T, HTMLElement>(
      body,
      key,
      () => h("tr", {}, ...columns.map((c) => h("td", { "data-title": c.title, class: c.numeric ? "num" : null }))),
      (row, item) => columns.forEach((c, i) => c.fill(row.children[i] as HTMLElement, item)),
    );
  }

  set(items: T[]): void {
    this.list.set(items);
    this.table.hidden = items.length === 0;
    this.empty.hidden = items.length > 0;
  }
}

function progress(cell: HTMLElement, query: Query): void {
  let bar = cell.querySelector("progress");
  if (!bar) {
    bar = h("progress", { "aria-label": `Progress of ${query.name}` });
    cell.append(bar, h("span", { class: "progress-text" }));
  }
  bar.max = Math.max(query.end, 1);
  bar.value = query.end === 0 ? 1 : query.done;
  const behind = Math.max(0, query.end - query.done);
  text(cell.querySelector(".progress-text")!, behind === 0 ? "all read" : `${count(behind)} to read`);
}

function state(cell: HTMLElement, query: Query): void {
  let badge = cell.querySelector("span");
  if (!badge) {
    badge = h("span", { class: "badge" });
    cell.append(badge);
  }
  badge.dataset["state"] = query.state;
  badge.title = query.error ?? "";
  text(badge, query.error ? `${query.state}: ${query.error}` : query.state);
}

function queries(): Table<Query> {
  return new Table<Query>(
    "Queries",
    "cards",
    [
      { title: "Name", fill: (c, q) => text(c, q.name) },
      { title: "State", fill: state },
      { title: "Progress", fill: progress },
      { title: "Batches", numeric: true, fill: (c, q) => text(c, count(q.batch_id)) },
      { title: "Rows", numeric: true, fill: (c, q) => text(c, count(q.rows_total)) },
      { title: "Rows/s", numeric: true, fill: (c, q) => text(c, rate(q.rows_per_second)) },
      {
        title: "Batch p50 / p99",
        numeric: true,
        fill: (c, q) => text(c, `${duration(q.batch_p50_ms)} / ${duration(q.batch_p99_ms)}`),
      },
    ],
    (q) => q.name,
    "No query runs. Create one with a CREATE STREAMING TABLE … AS SELECT.",
  );
}

interface ModelRow extends Model {
  now_ms: number;
}

function models(): Table<ModelRow> {
  return new Table<ModelRow>(
    "Models",
    "cards",
    [
      { title: "Name", fill: (c, m) => text(c, m.name) },
      { title: "Algorithm", fill: (c, m) => text(c, m.algorithm) },
      { title: "Version", numeric: true, fill: (c, m) => text(c, count(m.version)) },
      { title: "Rows learned", numeric: true, fill: (c, m) => text(c, count(m.rows_learned)) },
      { title: "Updated", numeric: true, fill: (c, m) => text(c, ago(m.updated_ms, m.now_ms)) },
    ],
    (m) => m.name,
    "No model yet. Create one with CREATE MODEL.",
  );
}

function topics(): Table<Topic> {
  return new Table<Topic>(
    "Topics",
    "rows",
    [
      { title: "Name", fill: (c, t) => text(c, t.name) },
      { title: "Partitions", numeric: true, fill: (c, t) => text(c, count(t.partitions)) },
      { title: "Records", numeric: true, fill: (c, t) => text(c, count(t.records)) },
      { title: "Per s", numeric: true, fill: (c, t) => text(c, rate(t.per_second)) },
    ],
    (t) => t.name,
    "No topic yet. Any Kafka client can create one by writing to it.",
  );
}

class DeadLetters {
  private readonly head = h("p", { class: "note" });
  private readonly samples = h("ul", { class: "letters" });
  readonly element = h("section", { class: "card dead" }, h("h2", {}, "Dead letters"), this.head, this.samples);
  private readonly list = new List<DeadLetter & { query: string }, HTMLElement>(
    this.samples,
    (d) => `${d.query}/${d.topic}/${d.partition}/${d.offset}`,
    (d) =>
      h(
        "li",
        {},
        h("p", {}, h("b", {}, d.reason)),
        h("p", { class: "note" }, `${d.query}: ${d.topic}, partition ${d.partition}, offset ${d.offset}`),
        h("code", {}, d.value),
      ),
    () => undefined,
  );

  set(items: Query[]): void {
    const total = items.reduce((sum, q) => sum + q.dead_letters, 0);
    const samples = items.flatMap((q) => q.samples.map((s) => ({ ...s, query: q.name })));
    const shown = samples.slice(-SAMPLES_SHOWN).reverse();
    const of = total > shown.length ? ` The newest ${shown.length}:` : "";
    text(this.head, total === 0 ? "No record was refused." : `${plural(total, "record")} could not be used and went aside; everything else went on.${of}`);
    this.element.classList.toggle("some", total > 0);
    this.list.set(shown);
  }
}

export class Tables implements Panel {
  private readonly queries = queries();
  private readonly models = models();
  private readonly topics = topics();
  private readonly dead = new DeadLetters();
  readonly element = h(
    "div",
    { class: "tables" },
    this.queries.element,
    h("div", { class: "stack" }, this.models.element, this.dead.element),
    this.topics.element,
  );

  update(state: State, changes: ReadonlySet<Change>): void {
    const status = state.status;
    if (!status || (!changes.has("tick") && !changes.has("snapshot"))) return;
    this.queries.set(status.queries);
    this.models.set(status.models.map((m) => ({ ...m, now_ms: status.now_ms })));
    this.topics.set(status.topics);
    this.dead.set(status.queries);
  }
}
