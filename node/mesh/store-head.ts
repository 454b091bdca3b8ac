import { hash } from 'node:crypto'
import { z } from 'zod'
import { defineCodec, type Codec } from '../../protocols/shared/codec.ts'
import { CodedError } from '../../protocols/shared/errors.ts'
import type { Sublevel, Write } from '../storage/sublevel.ts'

/** Version of what the stores of the mesh write, apart from the database's own; a newer one is refused. */
export const MESH_STORE_VERSION = 1
const MARK_BYTES = 8
const MAX_RECORD_BYTES = 4096

export interface StoreOwner {
  meshId: string
  peerId: string
}

const encoder = new TextEncoder()
const IDENTITY_KEY = encoder.encode('identity')
const HEAD_KEYS = [encoder.encode('head'), encoder.encode('head-again')] as const

const identityCodec = defineCodec(
  'mesh store identity',
  MAX_RECORD_BYTES,
  z.strictObject({
    version: z.literal(MESH_STORE_VERSION),
    meshId: z.string().max(256),
    peerId: z.string().max(256),
  }),
)
/** Reads the version alone, also of a record that a newer release wrote. */
const versionCodec = defineCodec('mesh store version', MAX_RECORD_BYTES, z.object({ version: z.int().min(0) }))

export interface StoreHeadInit<H> {
  /** Of the head and the identity alone. */
  meta: Sublevel
  owner: StoreOwner
  schema: z.ZodType<H>
  /** For people: the name of the store. */
  name: string
  /** What damage of it is told as. */
  damaged: (what: string, cause?: unknown) => CodedError
}

/**
 * Whose store it is, and its head: what must be in it. The head is written anew with every batch, in two copies, so
 * that a record that vanished, or an older one that came back, contradicts it.
 */
export class StoreHead<H> {
  readonly #init: StoreHeadInit<H>
  readonly #codec: Codec<H>

  constructor(init: StoreHeadInit<H>) {
    this.#init = init
    this.#codec = defineCodec(`${init.name} head`, MAX_RECORD_BYTES, init.schema)
  }

  get meta(): Sublevel {
    return this.#init.meta
  }

  /**
   * @returns undefined for a store that holds nothing of this
   * @throws {CodedError} of `damaged`, also when it is half-written; E_MESH_STORE_FOREIGN, E_DATA_VERSION
   */
  async read(): Promise<H | undefined> {
    const { meta } = this.#init
    const [identity, one, two] = await Promise.all([IDENTITY_KEY, ...HEAD_KEYS].map((key) => meta.get(key)))
    if (identity === undefined && one === undefined && two === undefined) return undefined
    if (identity === undefined || one === undefined || two === undefined) {
      // They are written in one batch: a store that has some of them was not left so by us.
      throw this.#init.damaged('it is half-written, some of its first records are missing')
    }
    this.#checkIdentity(identity)
    const [head, again] = [this.#open(this.#codec, HEAD_KEYS[0], one), this.#open(this.#codec, HEAD_KEYS[1], two)]
    if (!Buffer.from(this.#codec.encode(head)).equals(this.#codec.encode(again))) {
      throw this.#init.damaged('the two copies of its head differ')
    }
    return head
  }

  /** The writes of a first batch. */
  create(head: H): Write[] {
    const identity = identityCodec.encode({ version: MESH_STORE_VERSION, ...ownerOf(this.#init.owner) })
    return [{ type: 'put', key: IDENTITY_KEY, value: marked(IDENTITY_KEY, identity) }, ...this.writes(head)]
  }

  /** What every later batch has in it. */
  writes(head: H): Write[] {
    const body = this.#codec.encode(head)
    return HEAD_KEYS.map((key): Write => ({ type: 'put', key, value: marked(key, body) }))
  }

  #checkIdentity(record: Uint8Array): void {
    const { name, owner } = this.#init
    const { version } = this.#open(versionCodec, IDENTITY_KEY, record)
    if (version > MESH_STORE_VERSION) {
      throw new CodedError(
        'E_DATA_VERSION',
        `the ${name} was written by a newer release (version ${version}, this one reads up to ${MESH_STORE_VERSION})`,
        { hint: 'install that release again; data is never downgraded' },
      )
    }
    const found = this.#open(identityCodec, IDENTITY_KEY, record)
    for (const what of ['meshId', 'peerId'] as const) {
      if (found[what] === owner[what]) continue
      throw new CodedError(
        'E_MESH_STORE_FOREIGN',
        `the ${name} is that of another ${what === 'meshId' ? 'mesh' : 'node'} (${found[what]}, this is ${owner[what]})`,
        { hint: 'nothing was changed; give this node its own directory, or move the directory mesh in it away' },
      )
    }
  }

  #open<T>(codec: Codec<T>, key: Uint8Array, record: Uint8Array): T {
    const body = record.subarray(0, Math.max(0, record.byteLength - MARK_BYTES))
    const name = `its record “${Buffer.from(key).toString()}”`
    if (!markOf(key, body).equals(record.subarray(body.byteLength))) {
      throw this.#init.damaged(`${name} does not match its mark`)
    }
    try {
      return codec.decode(body)
    } catch (error) {
      throw this.#init.damaged(`${name} is none`, error)
    }
  }
}

/** Big-endian, so that rows lie in the order of their heights. */
export function heightKey(height: number): Uint8Array {
  const key = Buffer.alloc(8)
  key.writeBigUInt64BE(BigInt(height))
  return key
}

export function heightOfKey(key: Uint8Array): number {
  return Number(Buffer.from(key.buffer, key.byteOffset, 8).readBigUInt64BE())
}

/** The database advises to restore a backup, which for what was voted on would mean to vote twice. */
export async function asDamage<T>(damaged: StoreHeadInit<unknown>['damaged'], read: () => Promise<T>): Promise<T> {
  try {
    return await read()
  } catch (error) {
    throw error instanceof CodedError && error.code === 'E_STORAGE_CORRUPT' ? damaged(error.message, error) : error
  }
}

function ownerOf({ meshId, peerId }: StoreOwner): StoreOwner {
  return { meshId, peerId }
}

// Not a CRC: the database's own covers this record, and a CRC over bytes that end in their CRC proves nothing.
function markOf(key: Uint8Array, body: Uint8Array): Buffer {
  return hash('sha256', Buffer.concat([key, body]), 'buffer').subarray(0, MARK_BYTES)
}

function marked(key: Uint8Array, body: Uint8Array): Uint8Array {
  return Buffer.concat([body, markOf(key, body)])
}
