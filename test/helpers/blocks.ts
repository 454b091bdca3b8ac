import { randomBytes } from 'node:crypto'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { CID } from 'multiformats/cid'
import * as raw from 'multiformats/codecs/raw'
import { sha256 } from 'multiformats/hashes/sha2'
import { BlockStore, type BlockStoreInit } from '../../node/content/blocks/index.ts'
import { MAX_BLOCK_BYTES } from '../../node/content/constants.ts'

export interface Block {
  cid: CID
  bytes: Uint8Array
}

/** One that is packed into the index, and one that is a file. */
export const SMALL = 1000
export const LARGE = 200_000

export async function blockOf(bytes: Uint8Array): Promise<Block> {
  return { cid: CID.createV1(raw.code, await sha256.digest(bytes)), bytes }
}

export async function randomBlocks(count: number, size: number): Promise<Block[]> {
  return Promise.all(Array.from({ length: count }, () => blockOf(randomBytes(size))))
}

export async function openBlockStore(path: string, init: Partial<BlockStoreInit> = {}): Promise<BlockStore> {
  const store = new BlockStore({
    path,
    quotaBytes: 2 ** 40,
    maxBlockBytes: MAX_BLOCK_BYTES,
    onStored: () => undefined,
    ...init,
  })
  await store.open()
  return store
}

/** The files of large blocks. */
export async function blockFiles(path: string): Promise<string[]> {
  const entries = await readdir(path, { recursive: true, withFileTypes: true })
  return entries.filter(({ name }) => name.endsWith('.data')).map((entry) => join(entry.parentPath, entry.name))
}
