import { randomBytes } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import { expect } from 'chai'
import { LISTS } from '../../consensus/epoch/index.ts'
import type { EpochRow } from '../../node/operations.ts'
import { keepSynced } from './block-kills.ts'
import { anyOf } from './cell-kills.ts'
import { startTraced } from './cell-power.ts'
import { RealCell } from './cell.ts'
import { PinNodes } from './pin-nodes.ts'
import { eventually, pidOf } from './processes.ts'

const LANES = 4
const MOST_ANSWERS = 40
const MOST_PINS = 20
/** A copy at a node that is dead is not waited for. */
const PATIENCE_MS = 5_000
const MOST_MS = 30
/** The header and its lists. */
const EPOCH_BLOCKS = 1 + LISTS.length
/** The first block of each large file: pins share it. */
const SHARED = Buffer.alloc(1_048_576, 7)
/** A packed block, a block in a file, several blocks. */
const SIZES = [500, 200_000, SHARED.byteLength + 500] as const

interface Known {
  bytes: Buffer
  /** as it was acknowledged last; undefined while a change is under way */
  isPinned: boolean | undefined
}

/**
 * Real nodes of one cell, one of which dies again and again while they add, pin, unpin and sweep. A cell of one is the
 * only holder of its pins; in a larger one each is on all.
 */
export class PinNodeKills {
  readonly #cell: RealCell
  readonly #nodes: PinNodes
  readonly #known = new Map<string, Known>()
  #isDying = false
  #answers = 0
  acknowledged = 0

  private constructor(cell: RealCell) {
    this.#cell = cell
    this.#nodes = new PinNodes(cell.stage)
  }

  /** @param count - of nodes, ≤ 3: so many copies a pin has unless told */
  static async open(count = 1): Promise<PinNodeKills> {
    return new PinNodeKills(await RealCell.of(count))
  }

  close(): Promise<void> {
    return this.#cell.close()
  }

  /** kill -9 at a random point, and a start; then all that was acknowledged is looked at. */
  async kill(): Promise<void> {
    const victim = anyOf(this.#cell.names)
    await this.#until(() => this.#cell.kill(victim))
    await this.#cell.run(victim)
    await this.#check()
  }

  /** All of them end and start; then nobody holds what the dead have left half pushed, either. */
  async restart(): Promise<void> {
    const { names } = this.#cell
    await Promise.all(names.map((name) => this.#cell.end(name)))
    await Promise.all(names.map((name) => this.#cell.run(name)))
    await this.#cell.leader()
    await this.#check()
    for (const name of names) await this.#checkSwept(name)
  }

  /** As `kill`, but what was not synced is gone. @returns bytes that are gone */
  async cutPower(): Promise<number> {
    const victim = anyOf(this.#cell.names)
    const trace = this.#cell.stage.path('trace')
    await this.#cell.end(victim)
    await this.#cell.runUnder(victim, () => startTraced(this.#cell, victim, trace))
    await this.#until(async () => {
      process.kill((await pidOf(this.#cell.stage.path(victim)))!, 'SIGKILL')
      await this.#cell.gone(victim)
    })
    const gone = await keepSynced(this.#cell.stage.path(victim), trace)
    await this.#cell.run(victim)
    await this.#check()
    return gone
  }

  async #until(die: () => Promise<unknown>): Promise<void> {
    this.#isDying = false
    this.#answers = Math.ceil(Math.random() * MOST_ANSWERS)
    const died = Promise.withResolvers<void>()
    const answered = (): void => {
      if (--this.#answers !== 0) return
      void delay(Math.random() * MOST_MS).then(() => {
        this.#isDying = true
        die().then(() => died.resolve(), died.reject)
      })
    }
    const lanes = Array.from({ length: LANES }, () => this.#lane(() => this.#change(), answered))
    await Promise.all([...lanes, this.#lane(() => this.#nodes.gc(this.#anyNode()), answered), died.promise])
  }

  async #lane(work: () => Promise<unknown>, answered: () => void): Promise<void> {
    while (!this.#isDying) {
      try {
        await work()
      } catch (error) {
        if (this.#isDying) return
        throw error
      }
      answered()
    }
  }

  async #change(): Promise<void> {
    const known = [...this.#known].filter(([, { isPinned }]) => isPinned === true)
    const what = anyOf(
      known.length > MOST_PINS ? (['rm'] as const) : (['add', 'wait', 'garbage', 'again', 'rm'] as const),
    )
    if (what === 'again' || what === 'rm') {
      if (known.length > 0) await this.#set(...anyOf(known), what === 'again')
    } else {
      const bytes = someBytes()
      const query = what === 'garbage' ? {} : { pin: true, wait: what === 'wait', waitTimeoutMs: PATIENCE_MS }
      const cid = await this.#nodes.add(this.#anyNode(), bytes, query)
      this.#known.set(cid, { bytes, isPinned: what !== 'garbage' })
      this.acknowledged += 1
    }
  }

  async #set(cid: string, known: Known, isPinned: boolean): Promise<void> {
    known.isPinned = undefined
    if (isPinned) await this.#nodes.pin(this.#anyNode(), cid, { priority: Math.floor(Math.random() * 10) })
    else await this.#nodes.unpin(this.#anyNode(), cid)
    known.isPinned = isPinned
    this.acknowledged += 1
  }

  #anyNode(): string {
    return anyOf(this.#cell.names)
  }

  async #check(): Promise<void> {
    const { names } = this.#cell
    // At once: what is agreed on and not yet counted is not garbage.
    for (const name of names) await this.#nodes.gc(name)
    const { pins, next } = await this.#nodes.list(this.#anyNode(), { limit: 1000 })
    expect(next).to.equal(null)
    const listed = new Set(pins.map(({ cid }) => cid))
    for (const cid of listed) await this.#nodes.held(this.#anyNode(), cid, names.length)
    for (const [cid, known] of this.#known) {
      known.isPinned ??= listed.has(cid)
      expect(listed.has(cid), `${cid} is pinned`).to.equal(known.isPinned)
      if (known.isPinned) expect((await this.#nodes.cat(this.#anyNode(), cid)).equals(known.bytes), cid).to.equal(true)
      else this.#known.delete(cid)
    }
    for (const name of names) {
      expect(await this.#nodes.verify(name)).to.deep.equal([])
      expect((await this.#nodes.repo(name)).pins).to.deep.equal({ pinned: listed.size, pinning: 0, failed: 0 })
    }
    if (names.length === 1) await this.#checkSwept(names[0]!)
  }

  /** All that no pin holds goes, but epochs: the last ones are in use until they are pinned, and more come all the time. */
  async #checkSwept(name: string): Promise<void> {
    await eventually(`${name} holds pins and epochs, and nothing else`, async () => {
      const { spared, sparedBytes } = await this.#nodes.gc(name)
      const { usedBytes, quotaBytes, freeBytes } = await this.#nodes.repo(name)
      const { height } = await this.#nodes.one<EpochRow>(name, 'epochs?limit=1')
      return spared <= height * EPOCH_BLOCKS && usedBytes - (quotaBytes - freeBytes) === sparedBytes
    })
  }
}

function someBytes(): Buffer {
  const size = anyOf(SIZES)
  const own = randomBytes(Math.min(size, 200_000))
  return size > SHARED.byteLength ? Buffer.concat([SHARED, own]) : own
}
