import { encode } from '@ipld/dag-cbor'
import { CID } from 'multiformats/cid'
import { cidOf, LISTS, partsCodec } from '../../consensus/epoch/index.ts'

/** Epochs that are pinned together. */
export const SEGMENT_EPOCHS = 256

export interface Block {
  readonly cid: CID
  readonly bytes: Uint8Array
}

/** @returns heights of the segment that holds an epoch */
export function segmentOf(height: number): { from: number; to: number } {
  const from = height - ((height - 1) % SEGMENT_EPOCHS)
  return { from, to: from + SEGMENT_EPOCHS - 1 }
}

/** @returns the header of an encoded epoch and the lists that it links to, header first; a list that comes twice once */
export function blocksOf(epoch: Uint8Array): [header: Block, ...lists: Block[]] {
  const parts = partsCodec.decode(epoch)
  const lists = new Map(LISTS.map((name) => blockOf(parts[name])).map((block) => [block.cid.toString(), block]))
  return [blockOf(parts.header), ...lists.values()]
}

/** The root of a segment: who pins it pins its epochs. The same bytes on every node. */
export function rootOf(mesh: Uint8Array, { from, to }: { from: number; to: number }, headers: readonly CID[]): Block {
  return blockOf(encode({ v: 1, mesh, from, to, epochs: headers }))
}

function blockOf(bytes: Uint8Array): Block {
  return { cid: CID.decode(cidOf(bytes)), bytes }
}
