import { CID } from 'multiformats/cid'
import * as raw from 'multiformats/codecs/raw'
import * as Digest from 'multiformats/hashes/digest'
import { MAX_BLOCKS, MAX_CHALLENGE_BYTES, ProofHash } from '../../../protocols/audit/index.ts'
import { codeOf } from '../../../protocols/shared/errors.ts'
import type { LocalPins } from '../../content/pins/index.ts'

const IDENTITY = 0
/** The code of a hash and its length: what is random in a multihash comes after. */
const HASH_HEAD_BYTES = 2

/** Reads a block that is here; never fetches. */
export type ReadBlock = (cid: CID) => Promise<Uint8Array | undefined>
/** @returns so many random bytes */
export type RandomBytes = (count: number) => Uint8Array

/** Multihashes of blocks of a pin that is held here, at a random place: hashes have no order of their own. */
export async function randomBlocks(pins: Pick<LocalPins, 'blocksOf'>, cid: CID, random: RandomBytes) {
  const { bytes, size } = cid.multihash
  const after = Buffer.concat([bytes.subarray(0, HASH_HEAD_BYTES), random(size)])
  const found = await pins.blocksOf(cid, { after, limit: MAX_BLOCKS })
  if (found.length < MAX_BLOCKS) found.push(...(await pins.blocksOf(cid, { limit: MAX_BLOCKS - found.length })))
  const blocks = found.filter(({ multihash }) => multihash.code !== IDENTITY).map(({ multihash }) => multihash.bytes)
  return [...new Map(blocks.map((block) => [Buffer.from(block).toString('hex'), block])).values()]
}

export interface Expectation {
  /** that are here to compare with; multihashes */
  readonly blocks: Uint8Array[]
  readonly bytes: number
  readonly digest: Uint8Array
}

/** What a right answer to a challenge is made of. @returns undefined where none of the blocks is here */
export async function expectationOf(
  salt: Uint8Array,
  asked: Iterable<Uint8Array>,
  read: (multihash: Uint8Array) => Promise<Uint8Array | undefined>,
  maxBytes = MAX_CHALLENGE_BYTES,
): Promise<Expectation | undefined> {
  const hash = new ProofHash(salt)
  const blocks: Uint8Array[] = []
  for (const block of asked) {
    const bytes = await read(block)
    if (bytes === undefined) continue
    if (blocks.length > 0 && hash.bytes + bytes.byteLength > maxBytes) break
    hash.add(bytes)
    blocks.push(block)
  }
  return blocks.length === 0 ? undefined : { blocks, bytes: hash.bytes, digest: hash.digest() }
}

/** By multihash; a damaged block is not here either. */
export function readerOf(readBlock: ReadBlock) {
  return async (multihash: Uint8Array): Promise<Uint8Array | undefined> => {
    try {
      return await readBlock(CID.createV1(raw.code, Digest.decode(multihash)))
    } catch (error) {
      if (/^E_(CONTENT_NOT_FOUND|BLOCK_CORRUPT)$/.test(codeOf(error))) return undefined
      throw error
    }
  }
}
