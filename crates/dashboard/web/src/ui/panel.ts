// What a part of the page is. A panel owns one element, reads the state, and keeps no copy of it.
import type { State } from "../state";

export type Change = "snapshot" | "images" | "tick" | "link" | "theme";

export interface Panel {
  readonly element: HTMLElement;
  /** Called at most once per animation frame, with all that has changed since. */
  update(state: State, changes: ReadonlySet<Change>): void;
}
