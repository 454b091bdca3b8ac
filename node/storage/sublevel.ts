import type { ClassicLevel } from 'classic-level'
import { seal, unseal } from './checksum.ts'
import type { Commit } from './group-commit.ts'
import { GroupRead } from './group-read.ts'

/** Text keys are UTF-8; keys sort by their bytes. */
export type Key = string | Uint8Array

export type Write = { type: 'put'; key: Key; value: Uint8Array } | { type: 'del'; key: Key }

export interface WriteOptions {
  /** Whether it must survive a power cut; true unless told. */
  sync?: boolean
}

export interface SublevelOptions {
  /**
   * The caller checks the values by itself, as with content by its hash: they get no checksum, and a
   * damaged one is thrown as E_STORAGE_CORRUPT but stops nothing. False unless told.
   */
  selfChecked?: boolean
}

/** Bounds of keys, and how many of them. */
export interface Range {
  gt?: Key
  gte?: Key
  lt?: Key
  lte?: Key
  reverse?: boolean
  limit?: number
}

/** A key space of its own within the one database. All reads are checked against their checksum. */
export interface Sublevel {
  readonly name: string
  /** @throws {CodedError} E_STORAGE_CORRUPT */
  get(key: Key): Promise<Uint8Array | undefined>
  has(key: Key): Promise<boolean>
  put(key: Key, value: Uint8Array, options?: WriteOptions): Promise<void>
  del(key: Key, options?: WriteOptions): Promise<void>
  /** All or nothing. */
  batch(writes: Write[], options?: WriteOptions): Promise<void>
  /** In the order of the keys, as of the time of the call. */
  entries(range?: Range): AsyncIterable<[key: Uint8Array, value: Uint8Array]>
  keys(range?: Range): AsyncIterable<Uint8Array>
}

/** What the database does for its sublevels. */
export interface SublevelHost {
  commit(commit: Commit<LevelOperation>): Promise<void>
  /** Turns a failed read into an error of ours, and stops the node where the store is broken. */
  readFailed(error: unknown): unknown
  /** Turns a failed read into an error of ours. */
  explain(error: unknown): unknown
}

export type Level = ClassicLevel<Key, Uint8Array>
export type LevelSublevel = ReturnType<typeof openLevelSublevel>
export type LevelOperation =
  | { type: 'put'; sublevel: LevelSublevel; key: Uint8Array; value: Uint8Array }
  | { type: 'del'; sublevel: LevelSublevel; key: Uint8Array }

export function openLevelSublevel(level: Level, name: string) {
  return level.sublevel<Key, Uint8Array>(name, { keyEncoding: 'view', valueEncoding: 'view' })
}

export class LevelBackedSublevel implements Sublevel {
  readonly name: string
  readonly #level: LevelSublevel
  readonly #host: SublevelHost
  readonly #selfChecked: boolean
  readonly #reads: GroupRead

  constructor(name: string, level: LevelSublevel, host: SublevelHost, options: SublevelOptions = {}) {
    this.name = name
    this.#level = level
    this.#host = host
    this.#selfChecked = options.selfChecked ?? false
    this.#reads = new GroupRead({ one: (key) => level.get(key), many: (keys) => level.getMany(keys) })
  }

  async get(key: Key): Promise<Uint8Array | undefined> {
    try {
      const bytes = toBytes(key)
      const sealed = await this.#reads.get(bytes)
      return sealed === undefined ? undefined : this.#unseal(bytes, sealed)
    } catch (error) {
      throw this.#readFailed(error)
    }
  }

  async has(key: Key): Promise<boolean> {
    try {
      return await this.#level.has(toBytes(key))
    } catch (error) {
      throw this.#readFailed(error)
    }
  }

  put(key: Key, value: Uint8Array, options?: WriteOptions): Promise<void> {
    return this.batch([{ type: 'put', key, value }], options)
  }

  del(key: Key, options?: WriteOptions): Promise<void> {
    return this.batch([{ type: 'del', key }], options)
  }

  batch(writes: Write[], options?: WriteOptions): Promise<void> {
    return this.#host.commit(this.prepare(writes, options))
  }

  /** Copies and seals the values, so that a caller may use its buffers again. */
  prepare(writes: Write[], options: WriteOptions = {}): Commit<LevelOperation> {
    const operations = writes.map((write) => this.#operation(write))
    return {
      operations,
      bytes: operations.reduce((sum, operation) => sum + sizeOf(operation), 0),
      sync: options.sync ?? true,
    }
  }

  async *entries(range: Range = {}): AsyncGenerator<[Uint8Array, Uint8Array]> {
    try {
      for await (const [key, sealed] of this.#level.iterator(range)) {
        const bytes = toBytes(key)
        yield [bytes, this.#unseal(bytes, sealed)]
      }
    } catch (error) {
      throw this.#readFailed(error)
    }
  }

  async *keys(range: Range = {}): AsyncGenerator<Uint8Array> {
    try {
      for await (const key of this.#level.keys(range)) yield toBytes(key)
    } catch (error) {
      throw this.#readFailed(error)
    }
  }

  #operation(write: Write): LevelOperation {
    const key = typeof write.key === 'string' ? toBytes(write.key) : write.key.slice()
    if (write.type === 'del') return { type: 'del', sublevel: this.#level, key }
    const value = this.#selfChecked ? write.value.slice() : seal(key, write.value)
    return { type: 'put', sublevel: this.#level, key, value }
  }

  #unseal(key: Uint8Array, sealed: Uint8Array): Uint8Array {
    return this.#selfChecked ? sealed : unseal(key, sealed)
  }

  #readFailed(error: unknown): unknown {
    return this.#selfChecked ? this.#host.explain(error) : this.#host.readFailed(error)
  }
}

function sizeOf(operation: LevelOperation): number {
  return operation.key.byteLength + (operation.type === 'put' ? operation.value.byteLength : 0)
}

function toBytes(key: Key): Uint8Array {
  return typeof key === 'string' ? Buffer.from(key) : key
}
