import type { Role, Right } from '../protocols/admission/index.ts'
import type { CellOperations, CellSummary } from './operations-cell.ts'
import type {
  PinDocument,
  PinOperations,
  PinOptions,
  PinStatusDocument,
  PinSummary,
  PinWait,
  RepoOperations,
} from './operations-pins.ts'

export type * from './operations-cell.ts'
export type * from './operations-pins.ts'

/**
 * What a running node can be asked, whoever asks: the HTTP API, the local mesh, a test. One method
 * per verb of the command line; the documents are the ones that `--json` prints. Errors are
 * `CodedError`s.
 */
export interface Operations {
  id(): NodeDocument
  version(): VersionDocument
  status(): Promise<StatusDocument>
  /** Ready when `reasons` is empty. */
  readiness(): ReadinessDocument
  doctor(): Promise<Finding[]>
  peers(): Promise<PeerRow[]>
  ping(peerId: string, count: number, signal: AbortSignal): AsyncIterable<PingRow>
  connect(address: string, signal: AbortSignal): Promise<PeerRow>
  query(what: QueryTopic, target: QueryTarget, signal: AbortSignal, params?: QueryParams): AsyncIterable<QueryRow>
  coherence(): CoherenceDocument
  /** The past of this node's own coherence and of T_global, oldest first. */
  coherenceHistory(options: { since?: number; limit: number }): CoherencePoint[]
  invite(request: InviteRequest): Promise<InviteDocument>
  cell: CellOperations
  content: PinningContentOperations
  pins: PinOperations
  repo: RepoOperations
  log: LogOperations
  /** Resolves when the stop has begun; the process ends when it is done. */
  stop(): void
  /** Every change that a watcher may want, oldest first, from `cursor` (exclusive) if it is still kept. */
  events(cursor: number | undefined, signal: AbortSignal): AsyncIterable<NodeEvent>
}

export interface NodeDocument {
  peerId: string
  name: string
  role: Role
  cell: string
  rights: Right[]
  meshId: string
  addresses: string[]
  protocolVersion: number
}

export interface VersionDocument {
  version: string
  protocolVersion: number
  node: string
  system: string
}

export interface StatusDocument extends NodeDocument {
  version: string
  uptimeSeconds: number
  ready: boolean
  reasons: string[]
  peers: { connected: number; known: number }
  operators: { total: number; toleratedFaults: number }
  /** null on a node that runs no transducer (witness, relay). */
  coherence: CoherenceValue | null
  global: GlobalCoherence
  /** The cell in which this node agrees with others; empty in roles that do not. */
  cells: CellSummary[]
  /** null in roles that keep none. */
  pins: PinSummary | null
  /** Empty until its plane exists. */
  chain: Record<string, never>
  memory: { rssBytes: number }
  warnings: string[]
}

export interface ReadinessDocument {
  ready: boolean
  reasons: string[]
}

export interface Finding {
  check: string
  ok: boolean
  message: string
  /** What to do where `ok` is false; what would be better where it is true. */
  remedy?: string
}

export interface PeerRow {
  peerId: string
  name: string
  role: Role | null
  cell: string | null
  version: string | null
  connected: boolean
  direction: 'inbound' | 'outbound' | null
  relayed: boolean
  addresses: string[]
  roundTripMs: number | null
  score: number
  /** Seconds since the last phase report, null when there was none. */
  reportAgeSeconds: number | null
}

export interface PingRow {
  peerId: string
  sequence: number
  roundTripMs: number | null
  error?: ErrorDocument
}

export interface ErrorDocument {
  code: string
  message: string
  hint?: string
}

export type QueryTopic = 'status' | 'peers' | 'coherence' | 'pins'

export type QueryParams = {
  /** With `coherence`: points of the past, ≤ 100. */
  history?: number
  /** With `pins`: of this one only. */
  cid?: string
  /** With `pins`: `next` of the answer before. */
  after?: string
  /** With `pins`: rows of one answer, 1–1000; 100 unless told. */
  limit?: number
}
export type QueryTarget = { peer: string } | { all: true } | { local: true }

export interface QueryRow {
  peerId: string
  name: string
  /** One of the two is there. */
  data?: unknown
  error?: ErrorDocument
}

/** A T value as people see it: never without its false-alarm rate (coherence.md P5). */
export interface CoherenceValue {
  t: [re: number, im: number]
  magnitudeSquared: number
  collapsed: boolean
  nEff: number
  /** Chance that noise alone reaches this magnitude at this N_eff (coherence.md P5), 0..1. */
  falseAlarm: number
}

export interface GlobalCoherence {
  t: [re: number, im: number]
  magnitudeSquared: number
  median: [re: number, im: number]
  collapsed: boolean
  /** Share of the genesis weight whose reports are fresh, 0..1. */
  weightReporting: number
  /** Share of the genesis weight that collapsed in the median's direction, 0..1. */
  weightAgreeing: number
  falseAlarm: number
  /** Names of nodes that are fresh and weighed but do not agree with the rest. */
  dissenters: string[]
}

/** What becomes of this node's own signal. */
export interface SignalDocument {
  state: 'none' | 'running' | 'ended' | 'failed'
  samples: number
  badSamples: number
  /** Times the recording was begun; 0 for other sources. */
  passes: number
  error?: ErrorDocument
}

export interface CoherenceDocument {
  time: number
  signal: SignalDocument
  /** null where the role runs none. */
  emissary: CoherenceValue | null
  master: CoherenceValue | null
  sync: (CoherenceValue & { deltaMagnitude: number; deltaArgument: number; realignments: number }) | null
  global: GlobalCoherence
  reports: ReportRow[]
}

export interface ReportRow {
  peerId: string
  name: string
  role: Role
  cell: string
  weight: number
  t: [re: number, im: number]
  magnitudeSquared: number
  collapsed: boolean
  falseAlarm: number
  ageSeconds: number
  state: 'fresh' | 'stale'
  dissents: boolean
}

export interface CoherencePoint {
  time: number
  t: [re: number, im: number] | null
  magnitudeSquared: number | null
  collapsed: boolean | null
  global: { t: [re: number, im: number]; magnitudeSquared: number; collapsed: boolean }
}

export interface InviteRequest {
  role: Role
  cell?: string
  rights?: Right[]
  /** Seconds from now. */
  expiresInSeconds?: number
  uses?: number
}

export interface InviteDocument {
  ticket: string
  meshId: string
  cell: string
  role: Role
  rights: Right[]
  expires: string
  uses: number
}

export interface ContentOperations {
  add(entries: AsyncIterable<AddEntry>, options: AddOptions, signal: AbortSignal): AsyncIterable<AddRow>
  /** Bytes of the file at `CID[/path]`. */
  cat(path: string, options: { offset?: number; length?: number }, signal: AbortSignal): AsyncIterable<Uint8Array>
  /** Every file and directory under `CID[/path]`, parents before children, for `get`. */
  walk(path: string, signal: AbortSignal): AsyncIterable<WalkEntry>
  /** A CARv1 of the whole DAG. */
  car(path: string, signal: AbortSignal): AsyncIterable<Uint8Array>
  ls(path: string, signal: AbortSignal): AsyncIterable<LsRow>
  stat(path: string, signal: AbortSignal): Promise<StatDocument>
}

export interface AddEntry {
  path: string
  /** Absent for a directory. */
  content?: AsyncIterable<Uint8Array>
  mode?: number
}

/** Content of which what is added may be pinned in the same step. */
export interface PinningContentOperations extends Omit<ContentOperations, 'add'> {
  /** After the rows, where `options.pin` is there, what became of the pin of each root: of each path that has no `/`. */
  add(
    entries: AsyncIterable<AddEntry>,
    options: PinningAddOptions,
    signal: AbortSignal,
  ): AsyncIterable<AddRow | AddPinRow>
}

export interface AddOptions {
  wrapWithDirectory: boolean
}

export interface PinningAddOptions extends AddOptions {
  pin?: PinOptions
  /** With `pin`: goes on until copies are held. */
  wait?: PinWait
}

/** What was agreed; or, with `wait`, each change of what is observed. */
export type AddPinRow = { pin: PinDocument } | { status: PinStatusDocument }

export interface AddRow {
  path: string
  cid: string
  size: number
}

export interface WalkEntry {
  path: string
  cid: string
  type: 'file' | 'directory'
  size: number
  content?: AsyncIterable<Uint8Array>
}

export interface LsRow {
  name: string
  cid: string
  type: 'file' | 'directory'
  size: number
}

export interface StatDocument {
  cid: string
  type: 'file' | 'directory' | 'raw'
  size: number
  dagSize: number
  blocks: number
}

export interface LogOperations {
  level(level: string, component?: string): { levels: Record<string, string> }
  /** The last lines, oldest first. */
  recent(): Record<string, unknown>[]
  tail(signal: AbortSignal): AsyncIterable<Record<string, unknown>>
}

export interface NodeEvent {
  cursor: number
  time: number
  type:
    | 'peer.connected'
    | 'peer.disconnected'
    | 'peer.refused'
    | 'peer.banned'
    | 'coherence'
    | 'collapse'
    | 'signal'
    | 'cell'
    | 'pin'
    | 'node'
    /** Events before this one are no longer kept: `reason` is `restart` or `dropped`; look at the state itself. */
    | 'gap'
  data: Record<string, unknown>
}
