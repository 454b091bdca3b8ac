import type { Role, Right } from '../protocols/admission/index.ts'
import type { CellOperations, CellSummary } from './operations-cell.ts'
import type { CoherenceDocument, CoherencePoint, CoherenceValue, GlobalCoherence } from './operations-coherence.ts'
import type { PinningContentOperations } from './operations-content.ts'
import type { ChainSummary, RecordOperations } from './operations-mesh.ts'
import type { PeerRow, PingRow, QueryParams, QueryRow, QueryTarget, QueryTopic } from './operations-peers.ts'
import type { PinOperations, PinSummary } from './operations-pins.ts'
import type { RepoOperations } from './operations-repo.ts'

export type { ErrorDocument } from './errors.ts'
export type * from './operations-cell.ts'
export type * from './operations-coherence.ts'
export type * from './operations-content.ts'
export type * from './operations-mesh.ts'
export type * from './operations-peers.ts'
export type * from './operations-pins.ts'
export type * from './operations-repo.ts'

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
  mesh: RecordOperations
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
  chain: ChainSummary
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
    /** its cell took its membership back, by the record of the mesh */
    | 'peer.revoked'
    | 'coherence'
    | 'collapse'
    | 'signal'
    | 'cell'
    /** final, here */
    | 'epoch'
    /** that a validator contradicted itself, in an epoch */
    | 'equivocation'
    | 'motion'
    | 'pin'
    | 'node'
    /** Events before this one are no longer kept: `reason` is `restart` or `dropped`; look at the state itself. */
    | 'gap'
  data: Record<string, unknown>
}
