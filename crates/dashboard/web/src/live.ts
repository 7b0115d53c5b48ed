// The live feed: one EventSource, opened again for as long as the page is open.
// EventSource's own retry gives up for good on an HTTP error (a proxy in between, a start not finished),
// and does not notice a connection that is open but dead. So the retry is ours.
import type { Images, Snapshot, Tick } from "./wire";
import type { Link } from "./state";

/** The server sends a tick or a keep-alive each second; after this long without one it is gone. */
const SILENCE_MS = 6_000;
const RETRY_MIN_MS = 400;
const RETRY_MAX_MS = 5_000;

export interface Handlers {
  snapshot(data: Snapshot): void;
  images(data: Images): void;
  tick(data: Tick): void;
  link(state: Link): void;
}

export function connect(url: string, handlers: Handlers): void {
  let retry = RETRY_MIN_MS;
  let watchdog = 0;

  const open = (): void => {
    const source = new EventSource(url);
    let closed = false;
    const lost = (): void => {
      if (closed) return;
      closed = true;
      source.close();
      clearTimeout(watchdog);
      handlers.link("lost");
      setTimeout(open, retry);
      retry = Math.min(retry * 1.7, RETRY_MAX_MS);
    };
    const alive = (): void => {
      clearTimeout(watchdog);
      watchdog = window.setTimeout(lost, SILENCE_MS);
    };
    const on = <T>(name: string, take: (data: T) => void): void => {
      source.addEventListener(name, (event) => {
        alive();
        take(JSON.parse((event as MessageEvent<string>).data) as T);
      });
    };
    on<Snapshot>("snapshot", (data) => {
      retry = RETRY_MIN_MS;
      handlers.snapshot(data);
      handlers.link("live");
    });
    on<Images>("images", handlers.images);
    on<Tick>("tick", handlers.tick);
    on("alive", () => undefined);
    source.addEventListener("error", lost);
    alive();
  };
  open();
}
