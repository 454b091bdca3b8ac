import type { CID } from 'multiformats/cid'
import { CodedError } from '../../protocols/shared/errors.ts'
import { traverse, type GetBlock, type Visited, type Visitor } from './dag.ts'
import { decodeNode } from './unixfs-node.ts'

export interface ReadOptions {
  get: GetBlock
  signal: AbortSignal
  /** First byte, ≥ 0. */
  offset?: number
  /** Bytes at most, ≥ 0; all of the rest when absent. */
  length?: number
}

/** Where a block's bytes stand in the file; `size` is what its parent stated, unknown for the root. */
interface Span {
  start: number
  size: number | undefined
}

/**
 * The bytes of a file, in order, reading ahead; only blocks that hold wanted bytes are fetched.
 *
 * @throws {CodedError} E_IS_DIRECTORY, E_NOT_UNIXFS, E_CONTENT_MALFORMED
 */
export async function* readFile(root: CID, options: ReadOptions): AsyncGenerator<Uint8Array> {
  const from = options.offset ?? 0
  const to = from + (options.length ?? Number.POSITIVE_INFINITY)
  const start = { cid: root, context: { start: 0, size: undefined } }
  yield* traverse(start, { get: options.get, signal: options.signal, visit: fileVisitor(from, to) })
}

function fileVisitor(from: number, to: number): Visitor<Span, Uint8Array> {
  return (bytes, { cid, context }): Visited<Span, Uint8Array> => {
    const node = decodeNode(cid, bytes)
    if (node.type === 'directory' || node.type === 'shard') throw isDirectory(cid, context)
    if (context.size !== undefined && context.size !== node.size) throw malformed(cid, context.size, node.size)
    const visited: Visited<Span, Uint8Array> = { output: [], children: [] }
    const data = node.data.subarray(clamp(from - context.start, node.data), clamp(to - context.start, node.data))
    if (data.byteLength > 0) visited.output.push(data)
    if (node.type === 'raw') return visited
    let start = context.start + node.data.byteLength
    for (const link of node.links) {
      const end = start + link.size
      if (start < to && end > from) visited.children.push({ cid: link.cid, context: { start, size: link.size } })
      start = end
    }
    return visited
  }
}

function clamp(position: number, data: Uint8Array): number {
  return Math.min(Math.max(position, 0), data.byteLength)
}

function isDirectory(cid: CID, span: Span): CodedError {
  if (span.size !== undefined) return new CodedError('E_CONTENT_MALFORMED', `a file holds the directory ${cid}`)
  return new CodedError('E_IS_DIRECTORY', `${cid} is a directory`, {
    hint: 'list it with `kairos ls`, fetch it with `kairos get`, or name a file in it: CID/path',
  })
}

function malformed(cid: CID, stated: number, found: number): CodedError {
  return new CodedError(
    'E_CONTENT_MALFORMED',
    `part ${cid} of the file has ${found} bytes, its parent states ${stated}`,
  )
}
