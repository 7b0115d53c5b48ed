// The JSON the server sends, as ../../src/wire.rs writes it. Times are Unix milliseconds unless a name says otherwise.

export interface Gallery {
  enrol: string;
  placed: string;
  uploads: string;
  assigned: string;
  model: string;
  raw_model: string;
  width: number;
  height: number;
}

export interface Server {
  /** Differs after every start of the process. */
  instance: string;
  started_ms: number;
  version: string;
}

export interface Image {
  id: string;
  kind: "enrolled" | "uploaded";
  /** One character per pixel, 0..16 in base 17. Missing when the question was not seen. */
  pixels: string | null;
  segment: number | null;
  segment_raw: number | null;
  label: string | null;
  model_version: number | null;
  /** From the question's record to the answer's. */
  latency_ms: number | null;
  at_ms: number;
}

export interface Cluster {
  segment: number;
  size: number;
  /** Most frequent first. */
  labels: [string, number][];
  mean: string | null;
  /** Newest first; only in a snapshot. */
  members?: Image[];
}

/** One second of the run. */
export interface Point {
  t: number;
  answers: number;
  /** Records appended to all topics; unknown for seconds before this process watched. */
  records: number | null;
  p50: number | null;
  p99: number | null;
  purity: number | null;
  purity_raw: number | null;
  ari: number | null;
  ari_raw: number | null;
}

export interface Score {
  judged: number;
  purity: number | null;
  purity_raw: number | null;
  ari: number | null;
  ari_raw: number | null;
}

export interface Latency {
  count: number;
  p50: number | null;
  p99: number | null;
}

export interface Topic {
  name: string;
  partitions: number;
  records: number;
  per_second: number;
}

export interface DeadLetter {
  reason: string;
  topic: string;
  partition: number;
  offset: number;
  value: string;
}

export interface Query {
  name: string;
  state: string;
  error: string | null;
  sink: string | null;
  /** The last committed batch; 0 before the first one. */
  batch_id: number;
  rows_total: number;
  rows_per_second: number;
  batch_p50_ms: number | null;
  batch_p99_ms: number | null;
  /** Records read, and records there are to read. */
  done: number;
  end: number;
  dead_letters: number;
  samples: DeadLetter[];
}

export interface Model {
  name: string;
  algorithm: string;
  version: number;
  rows_learned: number;
  updated_ms: number | null;
}

export interface ModelVersion {
  version: number;
  committed_ms: number;
  rows_learned: number;
}

export interface Status {
  now_ms: number;
  answered: number;
  scores: { all: Score; recent: Score };
  latency: { enrolled: Latency; uploaded: Latency };
  topics: Topic[];
  queries: Query[];
  models: Model[];
}

export interface Snapshot {
  server: Server;
  gallery: Gallery | null;
  points: Point[];
  /** Newest first. */
  images: Image[];
  clusters: Cluster[];
  status: Status;
  versions: Record<string, ModelVersion[]>;
}

export interface Images {
  /** Oldest first. */
  images: Image[];
  /** Images that came too fast to be sent. */
  skipped: number;
}

export interface Tick {
  status: Status;
  clusters: Cluster[];
  /** Seconds that are new or have changed. */
  points: Point[];
  /** Versions since the last tick. */
  versions: Record<string, ModelVersion[]>;
}
