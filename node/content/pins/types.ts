import type { CID } from 'multiformats/cid'
import type { PinMode } from '../../operations-pins.ts'
import type { GcRow, VerifyRow } from '../../operations-repo.ts'
import type { GetBlock } from '../dag.ts'

/** What the index needs of the block store. Blocks are known by their multihash, whatever the codec. */
export interface PinStore {
  has(cid: CID): Promise<boolean>
  /** Checks the hash. @throws {CodedError} E_CONTENT_NOT_FOUND, E_BLOCK_CORRUPT */
  get(cid: CID): AsyncIterable<Uint8Array>
  /** Resolves when the block is durable, also when it was there. */
  put(cid: CID, bytes: Uint8Array): Promise<unknown>
  delete(cid: CID): Promise<void>
  /** Of all blocks; where it is absent, none makes room for a pin. */
  usedBytes?(): Promise<number>
  /** Each once; those that are not there do not matter. */
  deleteAll(cids: readonly CID[]): Promise<void>
  /** A page in a stable order (by multihash, for speed alone), after the block with this multihash. */
  list(page: { after?: Uint8Array; limit: number }): Promise<{ cid: CID; bytes: number }[]>
}

export type LocalPinState = 'pinning' | 'pinned' | 'failed'

/** A pin as this node holds it. */
export interface LocalPin {
  /** As it was given: CIDs of version 0 and 1 of one block are two pins. */
  cid: string
  mode: PinMode
  state: LocalPinState
  /** Distinct blocks that are durable and counted, and their bytes. */
  blocks: number
  bytes: number
  /** Milliseconds since 1970 when `state` was entered. */
  since: number
  /** Of `failed`. */
  error?: { code: string; message: string }
}

export interface PinWalkProgress {
  blocks: number
  bytes: number
  /** As the root states it (repeated blocks counted again); null where it states nothing. */
  totalBytes: number | null
  /** The block that has been waited for longest. */
  missing?: string
}

export interface PinWalkOptions {
  mode: PinMode
  /** Fetches what is missing; ends when its signal aborts. */
  get: GetBlock
  signal: AbortSignal
  onProgress?: (progress: PinWalkProgress) => void
}

export interface VerifyOptions {
  /** Puts back what is damaged or missing, by `get`, which must not read the store. */
  repair: boolean
  get?: GetBlock
  signal: AbortSignal
}

/** Keeps blocks from gc until it is released. It is memory: a crash drops it. */
export interface Lease {
  /** Resolves when gc cannot take the block any more: await it before the block is put or looked for. */
  add(cid: CID): Promise<void>
  release(): void
}

/** What is held here, exact after every crash. */
export interface HeldStat {
  pins: Record<LocalPinState, number>
  /** Distinct blocks of all pins; what the store has beyond is what gc would free (or is leased). */
  blocks: number
  bytes: number
}

export interface LocalPins {
  /** Goes on, in the background, with what a crash left half unpinned. */
  open(): Promise<void>
  /** Ends what runs; a pin that was under way stays `pinning`. Idempotent. */
  close(): Promise<void>
  /**
   * Resolves when every block is durable here, counted, and `pinned` is on disk. Again after a crash
   * or a failure, it goes on where it stopped; of a pinned one it returns at once.
   *
   * @throws {CodedError} E_CODEC_UNSUPPORTED, E_DAG_TOO_LARGE, E_CONTENT_MALFORMED, E_HASH_UNSUPPORTED, and what `get`
   *   and the store throw; then the state is `failed`, and what is here stays held until `unpin`
   */
  pin(cid: CID, options: PinWalkOptions): Promise<LocalPin>
  /** Stops a `pin` of it that is under way. Never reads a block. Of an unknown pin it does nothing. */
  unpin(cid: CID): Promise<void>
  /** It is to be pinned, sooner or later: until it is, or is unpinned, gc spares what of it is here. It is memory. */
  expect(cid: string): void
  get(cid: CID): Promise<LocalPin | undefined>
  /** In the order of the CIDs' bytes. */
  list(page: { after?: string; limit: number }): Promise<LocalPin[]>
  /**
   * Each block once, by multihash, so that a random `after` gives a random place.
   *
   * @param page.after - multihash of the last one, or any bytes
   */
  blocksOf(cid: CID, page: { after?: Uint8Array; limit: number }): Promise<CID[]>
  /** Whether a pin or a lease holds the block. */
  isHeld(cid: CID): Promise<boolean>
  hold(): Lease
  /** To be called by the store for each new block: gc spares what came after it began. */
  stored(cid: CID): void
  /** To be called by the store for each block that is gone since it was damaged: no pin that needs it is whole now. */
  damaged(cid: CID): void
  /** Told of each pin that is not whole any more, and `failed`: pinned again, it fetches what it lacks. */
  onLost(listener: (root: CID) => void): void
  /** @throws {CodedError} E_GC_RUNNING */
  gc(signal: AbortSignal): AsyncGenerator<GcRow>
  /** Of one pin, or of the whole store and all that is held; what is found missing is as `damaged`. @throws {CodedError} E_PIN_UNKNOWN */
  verify(cid: CID | undefined, options: VerifyOptions): AsyncGenerator<VerifyRow>
  stat(): Promise<HeldStat>
}
