import type { CID } from 'multiformats/cid'
import type { LsRow, WalkEntry } from '../operations.ts'
import { CodedError } from '../../protocols/shared/errors.ts'
import { traverse, type GetBlock, type Visit, type Visited, type Visitor } from './dag.ts'
import { checkName, type ContentPath } from './path.ts'
import { readFile } from './read.ts'
import { decodeNode, type UnixFsNode } from './unixfs-node.ts'

export interface TreeOptions {
  get: GetBlock
  signal: AbortSignal
}

interface Place {
  /** Names from the root, joined by `/`; empty for the root itself. */
  path: string
  /** Whether the block is a part of the table of the sharded directory at `path`. */
  isShardPart: boolean
}

/**
 * Follows a path to the CID of its end.
 *
 * @throws {CodedError} E_PATH_NOT_FOUND
 */
export async function resolvePath(path: ContentPath, options: TreeOptions): Promise<CID> {
  let cid = path.root
  for (const [depth, name] of path.segments.entries()) {
    const node = decodeNode(cid, await options.get(cid, options.signal))
    const next = await findEntry(cid, node, name, options)
    if (next === undefined) throw notFound([path.root.toString(), ...path.segments.slice(0, depth)].join('/'), name)
    cid = next
  }
  return cid
}

/**
 * Every file and directory, parents before children, in the order of the directories.
 *
 * @throws {CodedError} E_PATH_UNSAFE for a name that would lead out of the tree
 */
export async function* walkTree(root: CID, options: TreeOptions): AsyncGenerator<WalkEntry> {
  const visit: Visitor<Place, WalkEntry> = (bytes, { cid, context }) => {
    const node = decodeNode(cid, bytes)
    if (node.type === 'raw' || node.type === 'file')
      return { output: [fileEntry(cid, node, context, options)], children: [] }
    const entry: WalkEntry = { path: context.path, cid: cid.toString(), type: 'directory', size: 0 }
    return { output: context.isShardPart ? [] : [entry], children: children(node, context.path) }
  }
  yield* traverse({ cid: root, context: { path: '', isShardPart: false } }, { ...options, visit })
}

/** The entries of one directory, or the one file. */
export async function* list(root: CID, options: TreeOptions): AsyncGenerator<LsRow> {
  const visit: Visitor<Place, LsRow> = (bytes, { cid, context }): Visited<Place, LsRow> => {
    const node = decodeNode(cid, bytes)
    const isFile = node.type === 'raw' || node.type === 'file'
    if (!isFile && (context.path === '' || context.isShardPart)) {
      return { output: [], children: children(node, context.path) }
    }
    const type = isFile ? 'file' : 'directory'
    return { output: [{ name: context.path, cid: cid.toString(), type, size: isFile ? node.size : 0 }], children: [] }
  }
  yield* traverse({ cid: root, context: { path: '', isShardPart: false } }, { ...options, visit })
}

/** In a shard a link named by its place alone is a part of the table, else the name follows the place. */
function children(node: Exclude<UnixFsNode, { type: 'raw' | 'file' }>, path: string): Visit<Place>[] {
  const prefixLength = node.type === 'shard' ? node.prefixLength : 0
  return node.links.map((link) => {
    const isShardPart = node.type === 'shard' && link.name.length === prefixLength
    if (isShardPart) return { cid: link.cid, context: { path, isShardPart } }
    const name = checkName(link.name.slice(prefixLength))
    return { cid: link.cid, context: { path: path === '' ? name : `${path}/${name}`, isShardPart } }
  })
}

function fileEntry(
  cid: CID,
  node: Extract<UnixFsNode, { type: 'raw' | 'file' }>,
  place: Place,
  options: TreeOptions,
): WalkEntry {
  const content = { [Symbol.asyncIterator]: () => readFile(cid, options) }
  return { path: place.path, cid: cid.toString(), type: 'file', size: node.size, content }
}

async function findEntry(cid: CID, node: UnixFsNode, name: string, options: TreeOptions): Promise<CID | undefined> {
  if (node.type === 'directory') return node.links.find((link) => link.name === name)?.cid
  if (node.type === 'shard') return findInShard(cid, name, options)
  return undefined
}

/** By the hash of the name, through the exporter: only the parts on the way are fetched. */
async function findInShard(cid: CID, name: string, { get, signal }: TreeOptions): Promise<CID | undefined> {
  const blockstore = {
    async *get(part: CID) {
      yield await get(part, signal)
    },
  }
  try {
    const { unixfs } = await import('@helia/unixfs')
    const files = unixfs({ blockstore } as unknown as Parameters<typeof unixfs>[0])
    return (await files.stat(cid, { path: name, signal })).cid
  } catch (error) {
    if (error instanceof Error && ['NotFoundError', 'DoesNotExistError', 'BadPathError'].includes(error.name))
      return undefined
    throw error
  }
}

function notFound(parent: string, name: string): CodedError {
  return new CodedError('E_PATH_NOT_FOUND', `there is no "${name}" in ${parent}`, {
    hint: `see what is there with \`kairos ls ${parent}\``,
  })
}
