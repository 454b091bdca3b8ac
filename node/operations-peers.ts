import type { Role } from '../protocols/admission/index.ts'
import type { ErrorDocument } from './errors.ts'

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

export type QueryTopic = 'status' | 'peers' | 'coherence' | 'pins' | 'epochs'

export type QueryParams = {
  /** With `coherence`: points of the past, ≤ 100. */
  history?: number
  /** With `pins`: of this one only. */
  cid?: string
  /** With `pins`: `next` of the answer before. */
  after?: string
  /** With `epochs`: the first height, ≥ 1; the newest epochs unless told. */
  from?: number
  /** Rows of one answer. With `pins`: 1–1000, 100 unless told; with `epochs`: 1–100, 1 unless told. */
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
