import type { VerifyRow } from './operations-repo.ts'

/**
 * What the pinset of a node can be asked. On a full node that is the agreed pinset of its cell; on a node that is in no
 * cell (light, witness) it is what that node itself keeps, and `replication` does not apply.
 *
 * `pins` tell what was agreed; a status tells what was observed, and is never part of the agreement.
 */
export interface PinOperations {
  /**
   * Agrees on a pin; one that is there already is changed. Resolves when it is committed, not when it is held.
   *
   * @param path - CID, or CID/path, which is resolved first
   * @throws {CodedError} E_CID_INVALID, E_PIN_SHORT with the shortfall named, E_NO_QUORUM, E_OUTCOME_UNKNOWN, E_STATE_FULL
   */
  add(path: string, options: PinOptions, signal: AbortSignal): Promise<PinDocument>
  /** As `add`, then one document whenever something changed, until `wait.copies` copies are pinned. @throws {CodedError} as `untilPinned` */
  addAndWait(path: string, options: PinOptions, wait: PinWait, signal: AbortSignal): AsyncIterable<PinStatusDocument>
  /** @throws {CodedError} E_PIN_UNKNOWN */
  remove(path: string, signal: AbortSignal): Promise<PinDocument>
  /** Pins `to` with the options of `from`; from is unpinned in the same step unless `keep`. @throws E_PIN_UNKNOWN */
  update(from: string, to: string, options: { keep: boolean }, signal: AbortSignal): Promise<PinDocument>
  /** One page in the order that was asked for; never loads all. */
  list(filter: PinFilter, page: PinPage, signal: AbortSignal): Promise<PinListDocument>
  /** Of one pin. @throws {CodedError} E_PIN_UNKNOWN */
  get(path: string, signal: AbortSignal): Promise<PinDocument>
  /** Observed status of one pin at every node that it is allocated to; with `local` at this node alone. */
  status(path: string, options: { local: boolean }, signal: AbortSignal): Promise<PinStatusDocument>
  /** As `status` of one page of pins; `statuses` keeps those that have a copy in one of these. */
  statuses(
    filter: PinFilter & { statuses?: readonly PinStatus[] },
    page: PinPage & { local: boolean },
    signal: AbortSignal,
  ): Promise<PinStatusListDocument>
  /**
   * Tries again at once what failed, at every node that is to hold it and is there, or with `local` at this one alone; all
   * that failed when no pin is named.
   *
   * @returns how many copies
   * @throws {CodedError} E_PIN_UNKNOWN, and why a node did not try again
   */
  recover(path: string | undefined, options: { local: boolean }, signal: AbortSignal): Promise<{ recovered: number }>
  /** Reads every block of a pin here, checks its hash; `repair` fetches what is damaged or missing from other copies. */
  verify(path: string, options: { repair: boolean }, signal: AbortSignal): AsyncIterable<VerifyRow>
  /** What repair and rebalance would move now, nothing is changed. */
  plan(): Promise<RepairPlanDocument & Named>
  /** Every pin, oldest first, as it goes into a file. */
  export(signal: AbortSignal): AsyncIterable<PinExportRow>
  /**
   * In batches; what is there already is changed. A line that came as `refused` is passed on and counted.
   *
   * @returns rows that were refused, and the total at the end
   */
  import(lines: AsyncIterable<PinImportLine>, rewrite: PinRewrite, signal: AbortSignal): AsyncIterable<PinImportRow>
}

export type PinMode = 'recursive' | 'direct'

/** Absent: the default of the cell (min 2, max 3, or the cell's size where that is less), or as the pin has it. */
export interface PinOptions {
  name?: string
  mode?: PinMode
  /** Copies, −1 for every member. */
  replicationMin?: number
  replicationMax?: number
  /** Peer ids or names that are to hold it, before all others. */
  allocations?: readonly string[]
  /** Seconds from now; the committed time decides. */
  expiresInSeconds?: number
  metadata?: Record<string, string>
  /** Multiaddresses of peers that have the content. */
  origins?: readonly string[]
  /** 0–9, higher is fetched first. */
  priority?: number
  /** Of a light node: on that node alone, and not in its cell. Others are refused. */
  local?: boolean
}

export interface PinWait {
  /** Copies that must be pinned; all allocations when absent. */
  copies?: number
  timeoutMs?: number
}

/** Names of the peers that a document speaks of, by peer id; one that is not known is its own name. */
export interface Named {
  names: Record<string, string>
}

export interface PinDocument extends Named {
  cid: string
  name: string
  mode: PinMode
  replicationMin: number
  replicationMax: number
  /** Peer ids; empty on a node that is in no cell. */
  allocations: string[]
  expires: string | null
  metadata: Record<string, string>
  origins: string[]
  /** Peer id of the node that it was asked of. */
  owner: string
  priority: number
  created: string
}

/** The pins of a node in its status. */
export interface PinSummary {
  /** By its cell; null on a node that is in none. */
  agreed: number | null
  /** Held whole on this node. */
  pinned: number
  /** That this node is to hold, or to hold no more, and goes on with. */
  underWay: number
  failed: number
  /** Whether this node moves copies while it leads its cell; null on a node that is in none. */
  repair: boolean | null
}

export interface PinFilter {
  /** Names that begin with this. */
  name?: string
  /** All of these. */
  metadata?: Record<string, string>
  mode?: PinMode
  /** Peer id or name of a holder. */
  allocatedTo?: string
  createdAfter?: string
  createdBefore?: string
  /** What this node keeps itself: of a light node its own pins, of a full node those that it is to hold. */
  local?: boolean
}

export interface PinPage {
  /** 1–1000 */
  limit: number
  /** `next` of the page before. */
  after?: string
  order?: 'cid' | 'name' | 'created'
}

export interface PinListDocument {
  pins: PinDocument[]
  /** To give as `after`; null at the end. */
  next: string | null
}

/** The words of IPFS Cluster. */
export type PinStatus =
  | 'pinned'
  | 'pinning'
  | 'pin_queued'
  | 'pin_error'
  | 'unpinning'
  | 'unpin_queued'
  | 'unpin_error'
  | 'unpinned'
  | 'unexpectedly_unpinned'
  | 'remote'
  | 'cluster_error'

/** One copy. */
export interface PinCopy {
  peerId: string
  name: string
  status: PinStatus
  /** Why it is in no final state, for people. */
  reason: PinReason | null
  attempts: number
  since: string
  progress: PinProgress | null
  /** When the copy last answered a challenge rightly; null when it never did. */
  proven: string | null
}

export type PinReason = {
  code:
    | 'waiting'
    | 'no_providers'
    | 'dial_failed'
    | 'fetching'
    | 'stalled'
    | 'quota'
    | 'too_large'
    | 'unreachable'
    | 'proof_failed'
    | 'storage'
    | 'invalid'
  message: string
  /** The block that is waited for. */
  missing?: string
  /** Of the block that came last. */
  lastBlockSecondsAgo?: number
}

export interface PinProgress {
  blocks: number
  bytes: number
  /** As far as it is known yet; null before the root is here. */
  totalBytes: number | null
  bytesPerSecond: number
}

export interface PinStatusDocument {
  cid: string
  name: string
  replicationMin: number
  replicationMax: number
  /** Copies that are pinned, counting a failure domain once. */
  pinned: number
  copies: PinCopy[]
}

export interface PinStatusListDocument {
  statuses: PinStatusDocument[]
  next: string | null
}

export interface RepairMove {
  cid: string
  name: string
  add: string[]
  drop: string[]
  /** For people: why. */
  reason: 'lost' | 'draining' | 'below_min' | 'above_max' | 'everywhere' | 'rebalance' | 'proof_failed'
}

export interface RepairPlanDocument {
  moves: RepairMove[]
  /** Pins that have fewer copies than their min and nobody to give them to. */
  short: { cid: string; name: string; wants: number; has: number }[]
  /** Moves beyond those shown. */
  more: number
}

/** Of one line of `state export`. */
export interface PinExportRow {
  cid: string
  name?: string
  mode?: PinMode
  replicationMin?: number
  replicationMax?: number
  allocations?: string[]
  expires?: string | null
  metadata?: Record<string, string>
  origins?: string[]
  priority?: number
  created?: string
}

export interface PinRewrite {
  replicationMin?: number
  replicationMax?: number
  /** In place of all that the rows name; empty: allocated anew. */
  allocations?: readonly string[]
}

/** `cid` is empty where the line could not be read. */
export type PinRefusedRow = { type: 'refused'; line: number; cid: string; code: string; message: string }

/** A line of a file, counted from 1: a pin, or why it is none. */
export type PinImportLine = { type: 'pin'; line: number; pin: PinExportRow } | PinRefusedRow

export type PinImportRow =
  PinRefusedRow | { type: 'progress'; imported: number } | { type: 'end'; imported: number; refused: number }
