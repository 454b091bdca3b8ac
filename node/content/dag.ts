import type { CID } from 'multiformats/cid'
import { MAX_STARTED_BLOCKS, READ_AHEAD_BLOCKS } from './constants.ts'

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
 * Visits a DAG depth first, parents before children, reading ahead of the consumer by at most
 * READ_AHEAD_BLOCKS: a far reader is fast, a slow one holds few blocks in memory (the exporter of
 * ipfs-unixfs reads a whole file for it). What was read ahead waits while new children come before
 * it, so there may be MAX_STARTED_BLOCKS of both.
 */
export async function* traverse<Context, Output>(
  root: Visit<Context>,
  options: { get: GetBlock; visit: Visitor<Context, Output>; signal: AbortSignal },
): AsyncGenerator<Output> {
  const abandoned = new AbortController()
  const signal = AbortSignal.any([options.signal, abandoned.signal])
  const stack: Pending<Context>[] = [{ ...root }]
  let started = 0
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
      const window = Math.max(0, stack.length - READ_AHEAD_BLOCKS)
      for (let i = stack.length - 1; i >= window && started < MAX_STARTED_BLOCKS; i--) {
        const ahead = stack[i]!
        if (ahead.bytes === undefined) start(ahead)
      }
      const bytes = await block
      started--
      const { output, children } = options.visit(bytes, next)
      for (let i = children.length - 1; i >= 0; i--) stack.push({ ...children[i]! })
      yield* output
    }
  } finally {
    abandoned.abort()
  }
}
