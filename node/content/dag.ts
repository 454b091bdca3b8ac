import type { CID } from 'multiformats/cid'
import {
  MAX_BLOCK_BYTES,
  MAX_READ_AHEAD_BLOCKS,
  MAX_STARTED_FACTOR,
  MIN_READ_AHEAD_BLOCKS,
  READ_AHEAD_BYTES,
} from './constants.ts'

/** Gives the checked bytes of a block, from here or from the mesh. */
export type GetBlock = (cid: CID, signal: AbortSignal) => Promise<Uint8Array>

/** A block to visit, with what its parent knows about it. */
export interface Visit<Context> {
  cid: CID
  context: Context
}

export interface Visited<Context, Output> {
  output: Output[]
  /** Visited next, in this order, before anything that was already waiting. */
  children: Visit<Context>[]
}

/** Pure: what a block means for this traversal. A throw ends the traversal with that error. */
export type Visitor<Context, Output> = (bytes: Uint8Array, visit: Visit<Context>) => Visited<Context, Output>

interface Pending<Context> extends Visit<Context> {
  bytes?: Promise<Uint8Array>
}

/**
 * Visits a DAG depth first, parents before children, reading ahead of the consumer by about
 * READ_AHEAD_BYTES: a far reader is fast, a slow one holds few blocks in memory (the exporter of
 * ipfs-unixfs reads a whole file for it). What was read ahead waits while new children come before
 * it, so there may be MAX_STARTED_FACTOR times as many blocks of both.
 */
export async function* traverse<Context, Output>(
  root: Visit<Context>,
  options: { get: GetBlock; visit: Visitor<Context, Output>; signal: AbortSignal },
): AsyncGenerator<Output> {
  const abandoned = new AbortController()
  const signal = AbortSignal.any([options.signal, abandoned.signal])
  const stack: Pending<Context>[] = [{ ...root }]
  let started = 0
  const ahead = new ReadAhead()
  const start = (pending: Pending<Context>): Promise<Uint8Array> => {
    started++
    const bytes = options.get(pending.cid, signal)
    // Awaited later, or never when the consumer leaves first.
    bytes.catch(() => {})
    return (pending.bytes = bytes)
  }
  try {
    for (let next = stack.pop(); next !== undefined; next = stack.pop()) {
      const block = next.bytes ?? start(next)
      const window = Math.max(0, stack.length - ahead.blocks)
      for (let i = stack.length - 1; i >= window && started < MAX_STARTED_FACTOR * ahead.blocks; i--) {
        const later = stack[i]!
        if (later.bytes === undefined) start(later)
      }
      const bytes = await block
      started--
      ahead.saw(bytes)
      const { output, children } = options.visit(bytes, next)
      for (let i = children.length - 1; i >= 0; i--) stack.push({ ...children[i]! })
      yield* output
    }
  } finally {
    abandoned.abort()
  }
}

/** How many blocks to read ahead: many small ones, few large ones. Begins as with large ones. */
class ReadAhead {
  #averageBytes = MAX_BLOCK_BYTES / 2

  get blocks(): number {
    const blocks = Math.floor(READ_AHEAD_BYTES / this.#averageBytes)
    return Math.min(Math.max(blocks, MIN_READ_AHEAD_BLOCKS), MAX_READ_AHEAD_BLOCKS)
  }

  saw(bytes: Uint8Array): void {
    this.#averageBytes += (bytes.byteLength - this.#averageBytes) / 8
  }
}
