import type { Libp2p, PeerId } from '@libp2p/interface'
import type { Verdict as PeerVerdict } from '../../../protocols/shared/verdict.ts'
import type { LocalPins } from '../../content/pins/index.ts'
import type { Sublevel } from '../../storage/sublevel.ts'
import type { Log } from '../../telemetry/log.ts'
import type { PinCell } from '../ports.ts'
import type { RandomBytes, ReadBlock } from './sample.ts'

/** `unreachable`: not connected, or no valid answer in time. */
export type AuditResult = 'proven' | 'failed' | 'unreachable'

export interface AuditInit {
  libp2p: Libp2p
  cell: Pick<PinCell, 'tree' | 'subscribe'>
  /** Peer id as text. */
  self: string
  local: Pick<LocalPins, 'get' | 'list' | 'blocksOf' | 'stat'>
  /** Of the own store; checks the hash and never fetches. */
  readBlock: ReadBlock
  /** Of the audit alone. */
  store: Sublevel
  isOfCell(peer: PeerId): boolean
  log: Log
  /** In which each copy is challenged about once; 12 h unless told. */
  periodMs?: number
  onResult?: (result: AuditResult) => void
  /** A request of a peer was refused: E_AUDIT_*, E_FRAME_*. */
  onRefused?: (peer: PeerId, code: string) => void
  judge?: (peer: PeerId, verdict: PeerVerdict) => void
  /**
   * Whether a node tells those who ask for the status that it has pinned. Where it is not given, a node that claims nothing
   * when it is challenged is not blamed.
   */
  claims?: (cid: string, peerId: string, signal: AbortSignal) => Promise<boolean>
  /** Unix milliseconds. */
  now?: () => number
  random?: RandomBytes
}
