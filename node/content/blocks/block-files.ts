import { mkdir, open, opendir, readdir, rename, rm, stat, statfs, unlink, type FileHandle } from 'node:fs/promises'
import { join } from 'node:path'
import { base32upper } from 'multiformats/bases/base32'
import * as Digest from 'multiformats/hashes/digest'
import type { MultihashDigest } from 'multiformats/hashes/interface'
import { CodedError, messageOf } from '../../../protocols/shared/errors.ts'
import { ensureDirectory, syncDirectory } from '../../storage/files.ts'
import { isMissing, storageError } from '../../storage/storage-error.ts'
import { Budget } from './budget.ts'
import { DirectorySyncs } from './directory-syncs.ts'

const EXTENSION = '.data'
const CONFIG_KEY = 'content.path'
const DIRECTORY_MODE = 0o700
const FILE_MODE = 0o600
/** More at once do not make the disk faster, only its queue longer. */
const MAX_WRITES = 16
/** Where an unfinished file lies; emptied when the store opens. */
const UNFINISHED = 'unfinished'
const SHARD = /^[A-Z2-7]{2}$/
/** What blockstore-fs, which wrote older stores, leaves of a write that was cut off. */
const OLD_UNFINISHED = /^\..*\.tmp$/

/**
 * Blocks as files, laid out as blockstore-fs does (`next-to-last/2`): the multihash in base32upper,
 * in a directory named by its last two letters. A file is there whole or not at all.
 */
export class BlockFiles {
  readonly #path: string
  readonly #syncs = new DirectorySyncs()
  readonly #writes = new Budget(MAX_WRITES)
  readonly #directories = new Map<string, Promise<void>>()
  readonly #settled = new Map<string, Promise<void>>()
  #unfinished = 0

  constructor(path: string) {
    this.#path = path
  }

  /** @throws {CodedError} E_DISK_FULL, E_STORAGE_*, E_MODE_TOO_WIDE */
  async open(): Promise<void> {
    await ensureDirectory(this.#path, CONFIG_KEY)
    try {
      await rm(join(this.#path, UNFINISHED), { recursive: true, force: true })
      await mkdir(join(this.#path, UNFINISHED), { mode: DIRECTORY_MODE })
    } catch (cause) {
      throw storageError(cause, this.#path, CONFIG_KEY)
    }
  }

  /** @returns bytes that may still be written to this disk */
  async free(): Promise<{ free: number; total: number }> {
    const { bavail, blocks, bsize } = await statfs(this.#path)
    return { free: bavail * bsize, total: blocks * bsize }
  }

  /**
   * Resolves when the bytes survive a power cut, under their name.
   *
   * @throws {CodedError} E_STORAGE_SYNC when nobody knows what is on disk; E_DISK_FULL, E_STORAGE_*
   *   when there is no such file
   */
  async write(multihash: MultihashDigest, bytes: Uint8Array): Promise<void> {
    const { directory, file } = this.#place(multihash)
    await this.#writes.run(1, async () => {
      try {
        await this.#directory(directory)
        await this.#writeFile(file, bytes)
        await this.#syncs.sync(directory).catch(syncFailed)
      } catch (cause) {
        throw storageError(cause, file, CONFIG_KEY)
      }
    })
  }

  /** @returns undefined when there is no such file, null when it has another size */
  async read(multihash: MultihashDigest, size: number): Promise<Uint8Array | undefined | null> {
    const { file } = this.#place(multihash)
    try {
      const handle = await open(file, 'r')
      try {
        return await readWhole(handle, size)
      } finally {
        await handle.close()
      }
    } catch (cause) {
      if (isMissing(cause)) return undefined
      throw storageError(cause, file)
    }
  }

  /** @returns bytes of the file, undefined when there is none */
  async sizeOf(multihash: MultihashDigest): Promise<number | undefined> {
    const { file } = this.#place(multihash)
    try {
      return (await stat(file)).size
    } catch (cause) {
      if (isMissing(cause)) return undefined
      throw storageError(cause, file)
    }
  }

  /** Resolves when a file that an earlier run left has its name for good. */
  async settle(multihash: MultihashDigest): Promise<void> {
    const { directory, file } = this.#place(multihash)
    const settled = this.#settled.get(directory) ?? this.#syncs.sync(directory).catch(syncFailed)
    this.#settled.set(directory, settled)
    try {
      await settled
    } catch (cause) {
      throw storageError(cause, file, CONFIG_KEY)
    }
  }

  /** Resolves when the file is gone for good. */
  async remove(multihash: MultihashDigest): Promise<void> {
    const { directory, file } = this.#place(multihash)
    try {
      await unlink(file)
      await this.#syncs.sync(directory).catch(syncFailed)
    } catch (cause) {
      if (!isMissing(cause)) throw storageError(cause, file)
    }
  }

  /** The multihash of every file, a directory at a time; leaves files that are no blocks alone. */
  async *list(): AsyncGenerator<MultihashDigest> {
    for (const shard of await readdir(this.#path)) {
      if (!SHARD.test(shard)) continue
      for await (const { name } of await opendir(join(this.#path, shard))) {
        const multihash = decodeName(name)
        if (multihash !== undefined) yield multihash
        else if (OLD_UNFINISHED.test(name)) await rm(join(this.#path, shard, name), { force: true })
      }
    }
  }

  #place(multihash: MultihashDigest): { directory: string; file: string } {
    const name = base32upper.encode(multihash.bytes)
    const directory = join(this.#path, name.slice(-2))
    return { directory, file: join(directory, `${name}${EXTENSION}`) }
  }

  async #writeFile(file: string, bytes: Uint8Array): Promise<void> {
    const temporary = join(this.#path, UNFINISHED, String(this.#unfinished++))
    try {
      const handle = await open(temporary, 'wx', FILE_MODE)
      try {
        for (let at = 0; at < bytes.byteLength;) at += (await handle.write(bytes, at)).bytesWritten
        await handle.sync().catch(syncFailed)
      } finally {
        await handle.close()
      }
      await rename(temporary, file)
    } catch (cause) {
      await rm(temporary, { force: true }).catch(() => undefined)
      throw cause
    }
  }

  /** Makes it once, durably: without its entry on disk a power cut would take all files in it. */
  #directory(directory: string): Promise<void> {
    let made = this.#directories.get(directory)
    if (made === undefined) {
      made = mkdir(directory, { recursive: true, mode: DIRECTORY_MODE }).then(async (created) => {
        if (created !== undefined) await syncDirectory(this.#path).catch(syncFailed)
      })
      made.catch(() => this.#directories.delete(directory))
      this.#directories.set(directory, made)
    }
    return made
  }
}

async function readWhole(handle: FileHandle, size: number): Promise<Uint8Array | null> {
  // One byte more than it should have tells a longer file without another call.
  const buffer = Buffer.allocUnsafeSlow(size + 1)
  let at = 0
  while (at < size) {
    const { bytesRead } = await handle.read(buffer, at, size + 1 - at, at)
    if (bytesRead === 0) return null
    at += bytesRead
  }
  return at === size ? buffer.subarray(0, size) : null
}

function decodeName(name: string): MultihashDigest | undefined {
  if (!name.endsWith(EXTENSION)) return undefined
  try {
    return Digest.decode(base32upper.decode(name.slice(0, -EXTENSION.length)))
  } catch {
    return undefined
  }
}

/** After a failed sync the kernel has dropped what it could not write: no later sync tells of it. */
function syncFailed(cause: unknown): never {
  throw new CodedError('E_STORAGE_SYNC', `the disk did not keep what was written: ${messageOf(cause)}`, {
    hint: 'check the disk and the system log, then start the node again',
    cause,
  })
}
