import type { CID } from 'multiformats/cid'
import type { LocalPin, LocalPins, PinWalkOptions } from '../../../node/content/pins/index.ts'
import { CodedError, codeOf, messageOf } from '../../../protocols/shared/errors.ts'
import type { Rows } from '../../helpers/memory-sublevel.ts'
import type { Contents } from './contents.ts'

/** What of a member outlives its process. */
export class Disk {
  readonly pins = new Map<string, LocalPin>()
  readonly blocks = new Set<string>()
  /** blocks that were added here and are not yet pinned, and until when gc spares them */
  readonly added = new Map<string, number>()
  /** blocks that went by themselves */
  readonly rotten = new Set<string>()
  readonly catalog: Rows = new Map()
  readonly #contents: Contents
  isFull = false
  /** of the agreed log, as applied here */
  view = 0

  constructor(contents: Contents) {
    this.#contents = contents
  }

  hasAll(cid: string, mode: LocalPin['mode']): boolean {
    return this.#contents.blocksOf(cid, mode).every((block) => this.blocks.has(block))
  }

  rot(block: string): void {
    if (this.blocks.delete(block)) this.rotten.add(block)
  }

  put(block: string): void {
    this.blocks.add(block)
    this.rotten.delete(block)
  }

  /** Whether what it lacks of a pin went by itself. */
  isRotten(cid: string, mode: LocalPin['mode']): boolean {
    return this.#contents.blocksOf(cid, mode).every((block) => this.blocks.has(block) || this.rotten.has(block))
  }

  /** Whether it is held: nothing takes it but an unpin. */
  holds(cid: string, mode: LocalPin['mode']): boolean {
    const pin = this.pins.get(cid)
    return pin?.state === 'pinned' && (pin.mode === mode || mode === 'direct') && this.hasAll(cid, mode)
  }

  add(cid: string, until: number): void {
    for (const block of this.#contents.blocksOf(cid, 'recursive')) {
      this.put(block)
      this.added.set(block, until)
    }
  }

  sweep(now: number): void {
    for (const [block, until] of this.added) if (until <= now) this.added.delete(block)
    const held = new Set([...this.pins.values()].flatMap(({ cid, mode }) => this.#contents.blocksOf(cid, mode)))
    for (const block of this.blocks) if (!held.has(block) && !this.added.has(block)) this.blocks.delete(block)
  }

  lose(): void {
    for (const part of [this.pins, this.blocks, this.added, this.rotten, this.catalog]) part.clear()
    this.view = 0
  }
}

export interface DiskPinsInit {
  readonly disk: Disk
  readonly contents: Contents
  readonly now: () => number
  /** Resolves when a peer has sent the block. */
  readonly fetch: (block: string, signal: AbortSignal) => Promise<void>
  readonly pause: (signal?: AbortSignal) => Promise<void>
  /** told before a pin goes */
  readonly onUnpin: (cid: string) => void
}

/** The pin index of a member, with blocks that are names: what it says survives a crash, and nothing else does. */
export class DiskPins implements Pick<LocalPins, 'pin' | 'unpin' | 'get' | 'list'> {
  readonly #init: DiskPinsInit

  constructor(init: DiskPinsInit) {
    this.#init = init
  }

  async pin(root: CID, { mode, signal, onProgress }: PinWalkOptions): Promise<LocalPin> {
    const { disk, contents } = this.#init
    const cid = root.toString()
    const known = disk.pins.get(cid)
    if (known?.state === 'pinned' && known.mode === mode) return known
    this.#enter(cid, mode, 'pinning')
    const blocks = contents.blocksOf(cid, mode)
    try {
      for (const [at, block] of blocks.entries()) {
        const progress = { blocks: at, bytes: at, totalBytes: blocks.length }
        onProgress?.({ ...progress, missing: block })
        if (!disk.blocks.has(block)) await this.#init.fetch(block, signal)
        signal.throwIfAborted()
        if (disk.isFull) throw new CodedError('E_QUOTA', 'the store is full')
        disk.put(block)
      }
    } catch (error) {
      signal.throwIfAborted()
      this.#enter(cid, mode, 'failed', { code: codeOf(error), message: messageOf(error) })
      throw error
    }
    const pinned = this.#enter(cid, mode, 'pinned')
    disk.sweep(this.#init.now())
    return pinned
  }

  async unpin(root: CID): Promise<void> {
    const { disk, onUnpin, pause, now } = this.#init
    onUnpin(root.toString())
    await pause()
    disk.pins.delete(root.toString())
    disk.sweep(now())
  }

  async get(cid: CID): Promise<LocalPin | undefined> {
    return this.#init.disk.pins.get(cid.toString())
  }

  async list({ after = '', limit }: { after?: string; limit: number }): Promise<LocalPin[]> {
    const pins = [...this.#init.disk.pins.values()].filter(({ cid }) => cid > after)
    return pins.toSorted((a, b) => (a.cid < b.cid ? -1 : 1)).slice(0, limit)
  }

  #enter(cid: string, mode: LocalPin['mode'], state: LocalPin['state'], error?: LocalPin['error']): LocalPin {
    const pin = { cid, mode, state, blocks: 0, bytes: 0, since: this.#init.now(), ...(error && { error }) }
    this.#init.disk.pins.set(cid, pin)
    return pin
  }
}
