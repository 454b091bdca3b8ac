import * as dagPb from '@ipld/dag-pb'
import { UnixFS } from 'ipfs-unixfs'
import type { CID } from 'multiformats/cid'
import * as raw from 'multiformats/codecs/raw'
import { CodedError, messageOf } from '../../protocols/shared/errors.ts'

/** A child of a file, with the bytes of the file that it holds, as its parent states them. */
export interface FileLink {
  cid: CID
  size: number
}

/** An entry of a directory, or (`name` of two hex digits in a shard) a part of its table. */
export interface DirectoryLink {
  cid: CID
  name: string
}

export type UnixFsNode =
  | { type: 'raw'; size: number; data: Uint8Array }
  | { type: 'file'; size: number; data: Uint8Array; links: FileLink[] }
  | { type: 'directory'; links: DirectoryLink[] }
  | { type: 'shard'; prefixLength: number; links: DirectoryLink[] }

/**
 * One block as UnixFS. What the author states is checked against itself here, and against the
 * children when they are read.
 *
 * @throws {CodedError} E_NOT_UNIXFS
 */
export function decodeNode(cid: CID, bytes: Uint8Array): UnixFsNode {
  if (cid.code === raw.code) return { type: 'raw', size: bytes.byteLength, data: bytes }
  if (cid.code !== dagPb.code) throw notUnixFs(cid, `its codec is 0x${cid.code.toString(16)}`)
  const { node, unixfs } = decodeDagPb(cid, bytes)
  switch (unixfs.type) {
    case 'file':
    case 'raw':
      return fileNode(cid, node, unixfs)
    case 'directory':
      return { type: 'directory', links: directoryLinks(node) }
    case 'hamt-sharded-directory':
      return { type: 'shard', prefixLength: prefixLength(cid, unixfs), links: directoryLinks(node) }
    default:
      throw notUnixFs(cid, `a ${unixfs.type} is not supported`)
  }
}

function decodeDagPb(cid: CID, bytes: Uint8Array): { node: dagPb.PBNode; unixfs: UnixFS } {
  try {
    const node = dagPb.decode(bytes)
    if (node.Data === undefined) throw new Error('no data')
    return { node, unixfs: UnixFS.unmarshal(node.Data) }
  } catch (cause) {
    throw notUnixFs(cid, messageOf(cause), cause)
  }
}

function fileNode(cid: CID, node: dagPb.PBNode, unixfs: UnixFS): UnixFsNode {
  if (node.Links.length !== unixfs.blockSizes.length) throw notUnixFs(cid, 'it has not one size for each link')
  const data = unixfs.data ?? new Uint8Array()
  let size = data.byteLength
  const links = node.Links.map((link, index) => {
    const linkSize = Number(unixfs.blockSizes[index])
    size += linkSize
    return { cid: link.Hash, size: linkSize }
  })
  if (!Number.isSafeInteger(size)) throw notUnixFs(cid, 'its size is impossible')
  return { type: 'file', size, data, links }
}

function directoryLinks(node: dagPb.PBNode): DirectoryLink[] {
  return node.Links.map((link) => ({ cid: link.Hash, name: link.Name ?? '' }))
}

/** Names in a table of `fanout` places begin with the place in hex: 2 digits for 256. */
function prefixLength(cid: CID, unixfs: UnixFS): number {
  const fanout = Number(unixfs.fanout ?? 0n)
  if (fanout < 2 || fanout > 1024) throw notUnixFs(cid, `a table of ${fanout} places`)
  return (fanout - 1).toString(16).length
}

function notUnixFs(cid: CID, why: string, cause?: unknown): CodedError {
  return new CodedError('E_NOT_UNIXFS', `${cid} is not a file or directory: ${why}`, {
    hint: 'it can still be fetched as an archive with --car',
    cause,
  })
}
