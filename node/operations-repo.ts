export interface RepoOperations {
  stat(): Promise<RepoStatDocument>
  /** One row of progress after each step, the last one with `done: true`. Reads and writes go on meanwhile. */
  gc(signal: AbortSignal): AsyncIterable<GcRow>
  /** Every block of the store against its hash; `repair` fetches from replicas what is damaged. */
  verify(options: { repair: boolean }, signal: AbortSignal): AsyncIterable<VerifyRow>
}

export interface VerifyRow {
  type: 'progress' | 'damaged' | 'missing' | 'repaired' | 'failed' | 'end'
  cid?: string
  message?: string
  /** Looked at so far. */
  blocks: number
  bytes: number
  /** Of which `blocks` are looked at, as far as that is known. */
  totalBlocks?: number
}

export interface RepoStatDocument {
  blocks: number
  usedBytes: number
  quotaBytes: number
  pins: { pinned: number; pinning: number; failed: number }
  /** Free for pins, with what gc would free. */
  freeBytes: number
  path: string
}

export interface GcRow {
  done: boolean
  examined: number
  removed: number
  freedBytes: number
  /** Of no pin, yet in use: an `add` or a pin under way, epochs that are not pinned yet. */
  spared: number
  sparedBytes: number
  /** Of which `examined` are looked at, as far as that is known. */
  totalBlocks?: number
}
