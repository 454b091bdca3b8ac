import { createHash } from 'node:crypto'
import { block, node, type Block } from './pin-fixtures.ts'

const LEAVES = 40
const PARTS = 12
/** Small ones are packed into the block store's database, the others are files. */
const LEAF_BYTES = [100, 4096, 30_000, 100_000]

export const ROOTS = 12

/** The same DAGs in every process: roots that share parts and leaves; each with all that is below it. */
export function pinDags(): Block[][] {
  const leaves = Array.from({ length: LEAVES }, (_, index) => leaf(index))
  const parts = Array.from({ length: PARTS }, (_, index) => {
    const own = some(leaves, index, 7)
    return [node(`part ${index}`, own), ...own]
  })
  return Array.from({ length: ROOTS }, (_, index) => {
    const below = some(parts, index, 4)
    return [
      node(
        `root ${index}`,
        below.map(([top]) => top!),
      ),
      ...unique(below.flat()),
    ]
  })
}

function leaf(index: number): Block {
  const bytes = Buffer.alloc(LEAF_BYTES[index % LEAF_BYTES.length]!, index)
  bytes.writeUInt32BE(index)
  return block(bytes)
}

function some<T>(many: readonly T[], seed: number, count: number): T[] {
  const bytes = createHash('sha256').update(String(seed)).digest().subarray(0, count)
  return [...new Set(bytes)].map((byte) => many[byte % many.length]!).filter(isFirst)
}

const isFirst = <T>(value: T, index: number, all: readonly T[]): boolean => all.indexOf(value) === index
const unique = (blocks: readonly Block[]): Block[] => [
  ...new Map(blocks.map((each) => [String(each.cid), each])).values(),
]
