import type { CID } from 'multiformats/cid'
import { CodedError } from '../../protocols/shared/errors.ts'
import { MAX_ENTRIES, MAX_VALUE_BYTES } from './limits.ts'
import { decodeNode, type NodeBlock } from './tree-block.ts'
import { cidOf, cidOfDigest, layerOf, TreeNode } from './tree-node.ts'
import { EMPTY_BLOCK, EMPTY_ROOT, isKey, type Tree } from './tree.ts'

export interface Block {
  readonly cid: CID
  readonly bytes: Uint8Array
}

/** Where a node stands: its keys lie between `after` and `before`, its layer is under `under`. */
interface Place {
  readonly cid: CID
  readonly after: string
  readonly before: string | undefined
  readonly under: number
}

/**
 * Blocks of a tree, children before parents: whoever stores them in this order never has a block without all below it.
 *
 * @param isKnown - what it says of a block holds for everything below it too
 */
export function* blocks(tree: Tree, isKnown: (cid: CID) => boolean = () => false): Generator<Block> {
  if (tree.top !== undefined) yield* blocksOf(tree.top, isKnown)
  else if (!isKnown(EMPTY_ROOT)) yield { cid: EMPTY_ROOT, bytes: EMPTY_BLOCK }
}

function* blocksOf(node: TreeNode, isKnown: (cid: CID) => boolean): Generator<Block> {
  if (isKnown(node.cid)) return
  for (const child of node.children) if (child !== undefined) yield* blocksOf(child, isKnown)
  yield { cid: node.cid, bytes: node.block }
}

/**
 * What the block of a node links to.
 *
 * @returns also whether these are leaves, which link to nothing
 * @throws {RangeError} it is no block of a tree
 */
export function linksOf(block: Uint8Array): { links: CID[]; areLeaves: boolean } {
  const { layer, links } = decodeNode(block)
  return { links: links.flatMap((link) => (link === null ? [] : cidOfDigest(link))), areLeaves: layer === 1 }
}

/**
 * Reads a whole tree; every block is checked as if a stranger had made it.
 *
 * @throws {CodedError} E_TREE_BLOCK: a block does not match its CID, or has keys out of order, out of the range that its
 *   parent leaves it, or of another layer; E_TREE_TOO_LARGE: over MAX_ENTRIES
 */
export async function load(cid: CID, getBlock: (cid: CID) => Promise<Uint8Array>): Promise<Tree> {
  if (isEmptyRoot(cid)) return { top: undefined }
  const budget = { entries: MAX_ENTRIES }
  return { top: await loadNode(placeOf(cid), getBlock, budget) }
}

async function loadNode(
  place: Place,
  getBlock: (cid: CID) => Promise<Uint8Array>,
  budget: { entries: number },
): Promise<TreeNode> {
  const block = await getBlock(place.cid)
  const node = checkBlock(place, block)
  spend(budget, node)
  const children: (TreeNode | undefined)[] = []
  for (let at = 0; at < node.links.length; at++) {
    const below = placeBelow(place, node, at)
    children.push(below && (await loadNode(below, getBlock, budget)))
  }
  return new TreeNode(node.layer, node.keys, node.values, children, block)
}

function spend(budget: { entries: number }, node: NodeBlock): void {
  budget.entries -= node.keys.length
  if (budget.entries < 0) throw new CodedError('E_TREE_TOO_LARGE', `state tree: more than ${MAX_ENTRIES} entries`)
}

function placeOf(cid: CID): Place {
  return { cid, after: '', before: undefined, under: 65 }
}

function placeBelow(place: Place, node: NodeBlock, at: number): Place | undefined {
  const link = node.links[at]
  if (link === undefined || link === null) return undefined
  return {
    cid: cidOfDigest(link),
    after: node.keys[at - 1] ?? place.after,
    before: node.keys[at] ?? place.before,
    under: node.layer,
  }
}

function checkBlock(place: Place, bytes: Uint8Array): NodeBlock {
  if (!cidOf(bytes).equals(place.cid)) throw refused(place.cid, 'does not match its hash')
  const node = decoded(place, bytes)
  const fault = faultOf(node, place)
  if (fault !== undefined) throw refused(place.cid, fault)
  return node
}

function decoded({ cid }: Place, bytes: Uint8Array): NodeBlock {
  try {
    return decodeNode(bytes)
  } catch (cause) {
    throw refused(cid, 'cannot be decoded', cause)
  }
}

function faultOf({ layer, keys, values, links }: NodeBlock, { after, before, under }: Place): string | undefined {
  if (keys.length === 0 || values.length !== keys.length) return 'has no keys, or not a value for each'
  if (links.length !== (layer === 0 ? 0 : keys.length + 1)) return 'has a wrong number of links'
  if (layer >= under) return 'is not under the layer of its parent'
  if (!keys.every(isKey)) return 'has a key that is not allowed'
  if (keys.some((key, at) => key <= (keys[at - 1] ?? after))) return 'has keys out of order or out of its range'
  if (before !== undefined && keys.at(-1)! >= before) return 'has keys out of its range'
  if (keys.some((key) => layerOf(key) !== layer)) return 'has a key of another layer'
  if (values.some(({ byteLength }) => byteLength > MAX_VALUE_BYTES)) return 'has a value that is too long'
  return undefined
}

function isEmptyRoot(cid: CID): boolean {
  return cid.equals(EMPTY_ROOT)
}

function refused(cid: CID, why: string, cause?: unknown): CodedError {
  return new CodedError('E_TREE_BLOCK', `state tree: the block ${cid} ${why}`, {
    hint: 'fetch the snapshot again; a stored block that fails is damaged, and the node must rejoin its cell',
    cause,
  })
}
