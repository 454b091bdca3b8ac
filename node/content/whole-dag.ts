import * as dagCbor from '@ipld/dag-cbor'
import * as dagPb from '@ipld/dag-pb'
import { createUnsafe } from 'multiformats/block'
import type { CID } from 'multiformats/cid'
import * as raw from 'multiformats/codecs/raw'
import type { StatDocument } from '../operations.ts'
import { CodedError, messageOf } from '../../protocols/shared/errors.ts'
import { traverse, type Visitor } from './dag.ts'
import type { TreeOptions } from './tree.ts'
import { decodeNode } from './unixfs-node.ts'

const CODECS = new Map([dagPb, dagCbor, raw].map((codec) => [codec.code as number, codec]))

/** A CARv1 of the whole DAG, each block once, parents before children (which a reader of a stream can check as it comes). */
export async function* exportCar(root: CID, options: TreeOptions): AsyncGenerator<Uint8Array> {
  const { CarWriter } = await import('@ipld/car')
  const { writer, out } = CarWriter.create([root])
  const seen = new Set<string>()
  const visit: Visitor<undefined, { cid: CID; bytes: Uint8Array }> = (bytes, { cid }) => ({
    output: [{ cid, bytes }],
    children: linksOf(cid, bytes)
      .filter((link) => isNew(seen, link))
      .map((link) => ({ cid: link, context: undefined })),
  })
  isNew(seen, root)
  const writing = (async () => {
    try {
      for await (const block of traverse({ cid: root, context: undefined }, { ...options, visit }))
        await writer.put(block)
    } finally {
      await writer.close()
    }
  })()
  // Reported below, after the bytes before it.
  writing.catch(() => {})
  yield* out
  await writing
}

/**
 * What a path is and how large the DAG below it: distinct blocks and their bytes. Leaves of files
 * are not fetched for it: their sizes are those that their parents state.
 */
export async function statDag(root: CID, options: TreeOptions): Promise<StatDocument> {
  const bytes = await options.get(root, options.signal)
  const node = decodeNode(root, bytes)
  const size = node.type === 'raw' || node.type === 'file' ? node.size : 0
  const type = node.type === 'shard' ? 'directory' : node.type
  const total = { cid: root.toString(), type, size, dagSize: 0, blocks: 0 }
  const seen = new Set<string>()
  const count = (cid: CID, size: number): boolean => {
    if (!isNew(seen, cid)) return false
    total.blocks++
    total.dagSize += size
    return true
  }
  const visit: Visitor<undefined, never> = (bytes, { cid }) => {
    if (!count(cid, bytes.byteLength) || cid.code !== dagPb.code) return { output: [], children: [] }
    const inner = dagPb.decode(bytes).Links.filter((link) => {
      if (link.Hash.code === raw.code && link.Tsize !== undefined) count(link.Hash, link.Tsize)
      else return !seen.has(link.Hash.toString())
      return false
    })
    return { output: [], children: inner.map((link) => ({ cid: link.Hash, context: undefined })) }
  }
  await traverse({ cid: root, context: undefined }, { ...options, visit }).next()
  return total
}

function linksOf(cid: CID, bytes: Uint8Array): CID[] {
  const codec = CODECS.get(cid.code)
  if (codec === undefined) return []
  try {
    return [...createUnsafe({ bytes, cid, codec: codec as typeof raw }).links()].map(([, link]) => link)
  } catch (cause) {
    throw new CodedError('E_CONTENT_MALFORMED', `block ${cid} cannot be decoded: ${messageOf(cause)}`, { cause })
  }
}

function isNew(seen: Set<string>, cid: CID): boolean {
  const key = cid.toString()
  if (seen.has(key)) return false
  seen.add(key)
  return true
}
