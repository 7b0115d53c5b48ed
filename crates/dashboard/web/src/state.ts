// Everything the page knows. Panels read it; only `apply*` writes it. Each collection has a limit.
import type { Cluster, Gallery, Image, Images, Model, ModelVersion, Point, Server, Snapshot, Status, Tick } from "./wire";

const POINTS_MAX = 900;
const IMAGES_MAX = 48;
const MEMBERS_MAX = 18;
const VERSIONS_MAX = 200;
const STARTS_MAX = 20;

export type Link = "connecting" | "live" | "lost";

export class State {
  link: Link = "connecting";
  server: Server | null = null;
  gallery: Gallery | null = null;
  status: Status | null = null;
  /** In order of time. */
  points: Point[] = [];
  /** Newest first. */
  images: Image[] = [];
  /** How many images have been put into `images` so far: tells a panel what is new. */
  arrived = 0;
  clusters = new Map<number, Cluster & { members: Image[] }>();
  versions = new Map<string, ModelVersion[]>();
  /** Starts of the server since this page was opened, first included. */
  starts: number[] = [];

  /** Replaces everything, and tells whether the server is another process than before. */
  applySnapshot(snapshot: Snapshot): boolean {
    const restarted = this.server !== null && this.server.instance !== snapshot.server.instance;
    if (!this.server || restarted) this.starts = [...this.starts, snapshot.server.started_ms].slice(-STARTS_MAX);
    this.server = snapshot.server;
    this.gallery = snapshot.gallery;
    this.status = snapshot.status;
    this.points = snapshot.points.slice(-POINTS_MAX);
    this.images = snapshot.images.slice(0, IMAGES_MAX);
    this.arrived += this.images.length;
    this.clusters.clear();
    this.mergeClusters(snapshot.clusters);
    this.versions.clear();
    this.mergeVersions(snapshot.versions);
    return restarted;
  }

  applyImages(batch: Images): void {
    for (const image of batch.images) {
      this.images.unshift(image);
      if (image.segment === null) continue;
      const cluster = this.clusters.get(image.segment);
      if (!cluster) continue;
      cluster.members = [image, ...cluster.members.filter((other) => other.id !== image.id)].slice(0, MEMBERS_MAX);
    }
    this.images.length = Math.min(this.images.length, IMAGES_MAX);
    this.arrived += batch.images.length;
  }

  applyTick(tick: Tick): void {
    this.status = tick.status;
    this.mergeClusters(tick.clusters);
    this.mergeVersions(tick.versions);
    for (const point of tick.points) this.putPoint(point);
    if (this.points.length > POINTS_MAX) this.points = this.points.slice(-POINTS_MAX);
  }

  /** The model the page is about: the gallery's, or the first that learns. */
  get model(): Model | null {
    const models = this.status?.models ?? [];
    const named = models.find((m) => m.name === this.gallery?.model);
    return named ?? models.find((m) => m.updated_ms !== null) ?? models[0] ?? null;
  }

  /** The cluster's name for people. Letters, because numbers would be taken for the digits in the images. */
  static letter(segment: number): string {
    const rest = Math.floor(segment / 26);
    return (rest > 0 ? State.letter(rest - 1) : "") + String.fromCharCode(65 + (segment % 26));
  }

  private putPoint(point: Point): void {
    let at = this.points.length;
    while (at > 0 && this.points[at - 1]!.t > point.t) at -= 1;
    const same = at > 0 && this.points[at - 1]!.t === point.t;
    this.points.splice(same ? at - 1 : at, same ? 1 : 0, point);
  }

  private mergeClusters(clusters: Cluster[]): void {
    for (const cluster of clusters) {
      const members = cluster.members ?? this.clusters.get(cluster.segment)?.members ?? [];
      this.clusters.set(cluster.segment, { ...cluster, members: members.slice(0, MEMBERS_MAX) });
    }
  }

  private mergeVersions(versions: Record<string, ModelVersion[]>): void {
    for (const [name, fresh] of Object.entries(versions)) {
      const known = this.versions.get(name) ?? [];
      const last = known.at(-1)?.version ?? -1;
      this.versions.set(name, [...known, ...fresh.filter((v) => v.version > last)].slice(-VERSIONS_MAX));
    }
  }
}
