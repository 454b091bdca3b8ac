import { createHash, timingSafeEqual } from 'node:crypto'
import { opendir, readFile, stat, unlink } from 'node:fs/promises'
import { join } from 'node:path'
import { BaseBlockstore } from 'blockstore-core'
import { FsBlockstore } from 'blockstore-fs'
import { NextToLast } from 'blockstore-fs/sharding'
import type { CID } from 'multiformats/cid'
import { CodedError, messageOf } from '../../protocols/shared/errors.ts'
import { isMissing, storageError } from '../storage/storage-error.ts'
import { HASHES } from './constants.ts'

export interface BlockStoreInit {
  path: string
  /** Bytes of blocks, ≥ 0. */
  quotaBytes: number
  maxBlockBytes: number
  /** Called once a new block can be read, not before. */
  onStored: (cid: CID) => void
}

type Bytes = Uint8Array | Iterable<Uint8Array> | AsyncIterable<Uint8Array>

/**
 * The blocks of this node as files: refuses too large blocks and more than the quota at `put`,
 * checks the hash at `get`. Files are not synced (hardening F4), so after a power cut a block may
 * be damaged: then it is removed and reported as absent, and is fetched again.
 *
 * No `getAll`: the one of blockstore-fs loses codecs and fails on other hashes than sha2-256 (traps 16).
 */
export class BlockStore extends BaseBlockstore {
  readonly #init: BlockStoreInit
  readonly #layout = new NextToLast()
  readonly #files: FsBlockstore
  readonly #writing = new Map<string, Promise<void>>()
  #counting: Promise<void> | undefined
  #bytes = 0

  constructor(init: BlockStoreInit) {
    super()
    this.#init = init
    this.#files = new FsBlockstore(init.path, { shardingStrategy: this.#layout })
  }

  /** @throws {CodedError} E_DISK_FULL, E_STORAGE_* when the directory cannot be made or written */
  async open(): Promise<void> {
    await this.#files.open().catch((cause: unknown) => {
      throw ioFailure(this.#init.path, cause)
    })
  }

  /** Resolves when no write is under way. */
  async close(): Promise<void> {
    await Promise.allSettled(this.#writing.values())
  }

  async usedBytes(): Promise<number> {
    await this.#counted()
    return this.#bytes
  }

  override async has(cid: CID): Promise<boolean> {
    return this.#files.has(cid)
  }

  /** @throws {CodedError} E_BLOCK_TOO_LARGE, E_QUOTA, E_HASH_UNSUPPORTED, E_DISK_FULL, E_STORAGE_* */
  override async put(cid: CID, value: Bytes): Promise<CID> {
    const bytes = value instanceof Uint8Array ? value : await collect(value)
    if (bytes.byteLength > this.#init.maxBlockBytes) throw tooLarge(cid, bytes.byteLength, this.#init.maxBlockBytes)
    hashName(cid)
    // By file, not by CID: the same bytes may be known as `raw` and as another codec.
    const file = this.#fileOf(cid)
    let writing = this.#writing.get(file)
    if (writing === undefined) {
      writing = this.#write(cid, bytes).finally(() => this.#writing.delete(file))
      this.#writing.set(file, writing)
    }
    await writing
    return cid
  }

  /** @throws {CodedError} E_CONTENT_NOT_FOUND or E_BLOCK_CORRUPT, both named NotFoundError; E_STORAGE_* */
  override async *get(cid: CID): AsyncGenerator<Uint8Array> {
    const file = this.#fileOf(cid)
    // In one piece: blockstore-fs reads streams of 64 KiB, and takes every error for a missing file.
    const bytes = await readFile(file).catch((cause: unknown) => {
      throw isMissing(cause)
        ? absent('E_CONTENT_NOT_FOUND', `block ${cid} is not stored here`)
        : storageError(cause, file)
    })
    // A too large block came past `put`; sending it would hang bitswap.
    if (bytes.byteLength > this.#init.maxBlockBytes || !matches(cid, bytes)) {
      await this.#counted()
      // Of many readers one removes the file; only that one counts it off.
      if (await remove(file)) this.#bytes -= bytes.byteLength
      throw absent('E_BLOCK_CORRUPT', `the stored block ${cid} was damaged and has been removed`)
    }
    yield bytes
  }

  #fileOf(cid: CID): string {
    const { dir, file } = this.#layout.encode(cid)
    return join(this.#init.path, dir, file)
  }

  /** Resolves when what an earlier run left is counted; the first write waits for it. */
  async #counted(): Promise<void> {
    this.#counting ??= sizeOfBlocks(this.#init.path).then((bytes) => {
      this.#bytes += bytes
    })
    await this.#counting
  }

  async #write(cid: CID, bytes: Uint8Array): Promise<void> {
    if (await this.#files.has(cid)) return
    await this.#counted()
    // Checked and counted in one step before the write, so that many at once cannot pass the quota together.
    if (this.#bytes + bytes.byteLength > this.#init.quotaBytes) throw overQuota(this.#bytes, this.#init.quotaBytes)
    this.#bytes += bytes.byteLength
    try {
      await this.#files.put(cid, bytes)
    } catch (cause) {
      this.#bytes -= bytes.byteLength
      throw ioFailure(this.#init.path, cause)
    }
    this.#init.onStored(cid)
  }
}

export async function collect(source: Iterable<Uint8Array> | AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const parts: Uint8Array[] = []
  for await (const part of source) parts.push(part)
  return parts.length === 1 ? parts[0]! : Buffer.concat(parts)
}

function matches(cid: CID, bytes: Uint8Array): boolean {
  const digest = createHash(hashName(cid)).update(bytes).digest()
  const wanted = cid.multihash.digest
  return wanted.byteLength === digest.byteLength && timingSafeEqual(digest, wanted)
}

function hashName(cid: CID): string {
  const name = HASHES.get(cid.multihash.code)
  if (name === undefined) {
    throw new CodedError('E_HASH_UNSUPPORTED', `${cid} uses hash 0x${cid.multihash.code.toString(16)}`, {
      hint: 'blocks hashed with sha2-256 or sha2-512 are stored',
    })
  }
  return name
}

/** @returns whether the file was still there */
async function remove(file: string): Promise<boolean> {
  try {
    await unlink(file)
    return true
  } catch (cause) {
    if (isMissing(cause)) return false
    throw storageError(cause, file)
  }
}

async function sizeOfBlocks(path: string): Promise<number> {
  let bytes = 0
  for await (const entry of await opendir(path, { recursive: true })) {
    if (entry.isFile()) bytes += (await stat(join(entry.parentPath, entry.name)).catch(() => ({ size: 0 }))).size
  }
  return bytes
}

function tooLarge(cid: CID, bytes: number, maxBytes: number): CodedError {
  return new CodedError('E_BLOCK_TOO_LARGE', `block ${cid} has ${bytes} bytes, the limit is ${maxBytes}`, {
    hint: 'add the content as a file: it is cut into blocks of 1 MiB',
  })
}

function overQuota(used: number, quota: number): CodedError {
  return new CodedError('E_QUOTA', `the block store is full: ${used} of ${quota} bytes are used`, {
    hint: 'raise content.quota_bytes in the configuration, or free space with `kairos repo gc`',
  })
}

function absent(code: string, message: string): CodedError {
  const error = new CodedError(code, message, { hint: 'it is fetched from a peer that holds it; else add it again' })
  // What bitswap takes for "do not have"; any other error leaves the whole batch of a peer unsent.
  error.name = 'NotFoundError'
  return error
}

/** blockstore-fs keeps only the text of the system's error. */
function ioFailure(path: string, cause: unknown): CodedError {
  const code = /\b(E[A-Z]{3,})\b/.exec(messageOf(cause))?.[1]
  return storageError(Object.assign(new Error(messageOf(cause), { cause }), { code }), path, 'content.path')
}
