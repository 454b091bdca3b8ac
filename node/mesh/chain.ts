import { CodedError } from '../../protocols/shared/errors.ts'
import type { Database } from '../storage/database.ts'
import type { Sublevel, Write } from '../storage/sublevel.ts'
import { damagedChain, EMPTY_CHAIN, headSchema, type ChainHead, type StoredEpoch } from './chain-head.ts'
import { proveChain } from './chain-proof.ts'
import { RecentEpochs } from './recent-epochs.ts'
import { asDamage, heightKey, heightOfKey, StoreHead, type StoreOwner } from './store-head.ts'

/** The state is kept of the last two epochs and of every height that this divides, for exports and for fresh starts. */
export const STATE_EVERY = 256
/** What is forgotten with one epoch: after `mesh.keep_epochs` was lowered it goes in many small steps. */
const FORGOTTEN_PER_BATCH = 64

/** What follows from an epoch. */
export interface AfterEpoch {
  /** encoded, after it */
  state: Uint8Array
  /** encoded validator sets that its header names and that are not known to be here */
  sets: readonly { cid: Uint8Array; bytes: Uint8Array }[]
}

export interface ChainInit extends StoreOwner {
  database: Database
  /** What of a certificate is kept when the next epoch is there: that carries all of it. */
  trim: (certificate: Uint8Array) => Uint8Array
  /** Newest epochs that are kept; 0 for all. */
  keep: number
}

/**
 * The final epochs by height. One synced batch holds all that one epoch changes (block, certificate, state, head, what
 * is forgotten for it), so a crash leaves the store before it or after it.
 */
export class ChainStore {
  readonly #init: ChainInit
  readonly #store: StoreHead<ChainHead>
  /** By height. */
  readonly #blocks: Sublevel
  readonly #certificates: Sublevel
  readonly #states: Sublevel
  /** Height to CID, and back. */
  readonly #values: Sublevel
  readonly #heights: Sublevel
  /** CID to validator set: as many as there have been, for an old one may lead from the genesis to the last epoch. */
  readonly #sets: Sublevel
  /** CID to block, of the height that is being decided. */
  readonly #proposals: Sublevel
  /** Whether there may be any: one who only follows has none, and need not look at each epoch. */
  #mayHaveProposals = true
  readonly #recent = new RecentEpochs()
  #head: ChainHead = EMPTY_CHAIN
  /** Of the last epoch: settles when it is durable. */
  #writing: Promise<void> = Promise.resolve()

  private constructor(init: ChainInit) {
    const { database, meshId, peerId } = init
    this.#init = init
    this.#store = new StoreHead({
      meta: database.sublevel('mesh-chain'),
      owner: { meshId, peerId },
      schema: headSchema,
      name: 'store of epochs',
      damaged: damagedChain,
    })
    this.#blocks = database.sublevel('mesh-blocks')
    this.#certificates = database.sublevel('mesh-certificates')
    this.#states = database.sublevel('mesh-states')
    this.#values = database.sublevel('mesh-values')
    this.#heights = database.sublevel('mesh-heights')
    this.#sets = database.sublevel('mesh-sets')
    this.#proposals = database.sublevel('mesh-proposals')
  }

  /** @throws {CodedError} E_MESH_STORE_DAMAGED, E_MESH_STORE_FOREIGN, E_DATA_VERSION */
  static async open(init: ChainInit): Promise<ChainStore> {
    const chain = new ChainStore(init)
    await asDamage(damagedChain, () => chain.#open())
    return chain
  }

  get head(): ChainHead {
    return this.#head
  }

  /** Of the head; undefined at height 0. */
  async state(): Promise<Uint8Array | undefined> {
    return this.#head.height === 0 ? undefined : this.stateAt(this.#head.height)
  }

  /** Of the last two epochs, and of every 256th height that is kept. */
  stateAt(height: number): Promise<Uint8Array | undefined> {
    return this.#states.get(heightKey(height))
  }

  /** @returns undefined when it is not final here, or no longer kept */
  async epoch(height: number): Promise<StoredEpoch | undefined> {
    const recent = this.#recent.get(height)
    if (recent !== undefined) return recent
    const key = heightKey(height)
    const rows = [this.#values, this.#blocks, this.#certificates]
    const [value, block, certificate] = await Promise.all(rows.map((row) => row.get(key)))
    if (value === undefined || block === undefined || certificate === undefined) return undefined
    return { value, block, certificate }
  }

  /** @returns an encoded validator set by its CID */
  set(cid: Uint8Array): Promise<Uint8Array | undefined> {
    return this.#sets.get(cid)
  }

  async heightOf(value: Uint8Array): Promise<number | undefined> {
    const key = await this.#heights.get(value)
    return key === undefined ? undefined : heightOfKey(key)
  }

  /** Durable when it resolves: a block that this node is about to vote for. */
  async persist(value: Uint8Array, block: Uint8Array): Promise<void> {
    this.#mayHaveProposals = true
    await this.#proposals.put(value, block)
  }

  proposal(value: Uint8Array): Promise<Uint8Array | undefined> {
    return this.#proposals.get(value)
  }

  /** Durable when it resolves. @throws {CodedError} E_MESH_STORE_ORDER (nothing was written), or the database's */
  async commit(height: number, epoch: StoredEpoch, after: AfterEpoch): Promise<void> {
    const done = this.#commit(height, epoch, after)
    this.#writing = done
    return done
  }

  async #commit(height: number, epoch: StoredEpoch, after: AfterEpoch): Promise<void> {
    if (height !== this.#head.height + 1) throw outOfOrder(`epoch ${height} after ${this.#head.height}`)
    const { keep } = this.#init
    const oldest = keep === 0 ? this.#head.oldest : Math.max(this.#head.oldest, height - keep + 1)
    const end = Math.min(oldest, this.#head.oldest + FORGOTTEN_PER_BATCH)
    const head = { ...this.#head, height, value: epoch.value, oldest: end }
    await this.#write(head, epoch, after, await this.#gone(end))
  }

  /**
   * Begins at an epoch that somebody vouches for; what was kept before it is forgotten.
   *
   * @throws {CodedError} E_MESH_STORE_ORDER when it is not ahead of what is here
   */
  async install(height: number, epoch: StoredEpoch, after: AfterEpoch): Promise<void> {
    if (height <= this.#head.height) throw outOfOrder(`a checkpoint at ${height} after ${this.#head.height}`)
    const head: ChainHead = { ...this.#head, height, value: epoch.value, oldest: height, trust: 'checkpoint' }
    const gone = await this.#gone(this.#head.height + 1)
    gone.states.push(...removalsOf([this.#head.height - 1, this.#head.height]))
    this.#recent.clear()
    await this.#write(head, epoch, after, gone)
  }

  /** Writes the head once more: damage of the last record then has a later one behind it, and shows. */
  async finish(): Promise<void> {
    // Of what is still under way the head comes first: one written after it must not be older.
    await this.#writing.catch(() => undefined)
    this.#head = { ...this.#head, sequence: this.#head.sequence + 1 }
    await this.#store.meta.batch(this.#store.writes(this.#head))
  }

  async #write(head: ChainHead, epoch: StoredEpoch, { state, sets }: AfterEpoch, gone: Gone): Promise<void> {
    const { height } = head
    const key = heightKey(height)
    const next = { ...head, sequence: this.#head.sequence + 1 }
    const before = head.oldest < height ? await this.epoch(height - 1) : undefined
    const trimmed = before && { ...before, certificate: this.#init.trim(before.certificate) }
    if (trimmed !== undefined)
      gone.certificates.push({ type: 'put', key: heightKey(height - 1), value: trimmed.certificate })
    const put = (value: Uint8Array): Write => ({ type: 'put', key, value })
    await this.#init.database.batch([
      { sublevel: this.#blocks, writes: [...gone.rows, put(epoch.block)] },
      { sublevel: this.#certificates, writes: [...gone.rows, ...gone.certificates, put(epoch.certificate)] },
      { sublevel: this.#values, writes: [...gone.rows, put(epoch.value)] },
      { sublevel: this.#heights, writes: [...gone.heights, { type: 'put', key: epoch.value, value: key }] },
      { sublevel: this.#states, writes: [...gone.rows, ...gone.states, put(state)] },
      { sublevel: this.#sets, writes: sets.map(({ cid, bytes }): Write => ({ type: 'put', key: cid, value: bytes })) },
      { sublevel: this.#proposals, writes: gone.proposals },
      { sublevel: this.#store.meta, writes: this.#store.writes(next) },
    ])
    this.#head = next
    if (gone.proposals.length === 0) this.#mayHaveProposals = false
    if (trimmed !== undefined) this.#recent.put(height - 1, trimmed)
    this.#recent.put(height, epoch)
  }

  /** Rows before `end`, and the proposals of the height that is decided now. */
  async #gone(end: number): Promise<Gone> {
    const gone: Gone = { rows: [], heights: [], states: [], certificates: [], proposals: [] }
    for (let height = this.#head.oldest; height < end; height++) {
      const value = await this.#values.get(heightKey(height))
      gone.rows.push(...removalsOf([height]))
      if (value !== undefined) gone.heights.push({ type: 'del', key: value })
    }
    const state = this.#head.height - 1
    if (state % STATE_EVERY !== 0) gone.states.push(...removalsOf([state]))
    if (this.#mayHaveProposals) {
      for await (const key of this.#proposals.keys()) gone.proposals.push({ type: 'del', key })
    }
    return gone
  }

  async #open(): Promise<void> {
    const found = await this.#store.read()
    if (found !== undefined) {
      this.#head = found
      return proveChain(found, this, this.#values)
    }
    for (const rows of [this.#blocks, this.#values, this.#heights, this.#states]) {
      for await (const _ of rows.keys({ limit: 1 })) throw damagedChain('it has epochs and no head')
    }
    await this.#store.meta.batch(this.#store.create(EMPTY_CHAIN))
  }
}

interface Gone {
  /** of all that is kept by height */
  rows: Write[]
  heights: Write[]
  states: Write[]
  certificates: Write[]
  proposals: Write[]
}

function outOfOrder(what: string): CodedError {
  return new CodedError('E_MESH_STORE_ORDER', `the store of epochs was handed what does not follow on it: ${what}`, {
    hint: 'this is a defect of kairos; nothing was written',
  })
}

function removalsOf(heights: readonly number[]): Write[] {
  return heights.filter((height) => height > 0).map((height) => ({ type: 'del', key: heightKey(height) }))
}
