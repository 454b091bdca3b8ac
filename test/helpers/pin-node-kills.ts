import { randomBytes } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import { expect } from 'chai'
import { keepSynced } from './block-kills.ts'
import { anyOf } from './cell-kills.ts'
import { startTraced } from './cell-power.ts'
import { RealCell } from './cell.ts'
import { PinNodes } from './pin-nodes.ts'
import { pidOf } from './processes.ts'

const NODE = 'a'
const LANES = 4
const MOST_ANSWERS = 40
const MOST_PINS = 20
const MOST_MS = 30
/** The first block of each large file: pins share it. */
const SHARED = Buffer.alloc(1_048_576, 7)
/** A packed block, a block in a file, several blocks. */
const SIZES = [500, 200_000, SHARED.byteLength + 500] as const

interface Known {
  bytes: Buffer
  /** as it was acknowledged last; undefined while a change is under way */
  isPinned: boolean | undefined
}

/** One real node, the only holder of its pins, that dies again and again while it adds, pins, unpins and sweeps. */
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

  static async open(): Promise<PinNodeKills> {
    const cell = await RealCell.open()
    await cell.found(NODE)
    return new PinNodeKills(cell)
  }

  close(): Promise<void> {
    return this.#cell.close()
  }

  /** kill -9 at a random point, and a start; then all that was acknowledged is looked at. */
  async kill(): Promise<void> {
    await this.#until(() => this.#cell.kill(NODE))
    await this.#cell.run(NODE)
    await this.#check()
  }

  /** As `kill`, but what was not synced is gone. @returns bytes that are gone */
  async cutPower(): Promise<number> {
    const trace = this.#cell.stage.path('trace')
    await this.#cell.end(NODE)
    await this.#cell.runUnder(NODE, () => startTraced(this.#cell, NODE, trace))
    await this.#until(async () => {
      process.kill((await pidOf(this.#cell.stage.path(NODE)))!, 'SIGKILL')
      await this.#cell.gone(NODE)
    })
    const gone = await keepSynced(this.#cell.stage.path(NODE), trace)
    await this.#cell.run(NODE)
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
    await Promise.all([...lanes, this.#lane(() => this.#nodes.gc(NODE), answered), died.promise])
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
      const query = what === 'garbage' ? {} : { pin: true, wait: what === 'wait' }
      const cid = await this.#nodes.add(NODE, bytes, query)
      this.#known.set(cid, { bytes, isPinned: what !== 'garbage' })
      this.acknowledged += 1
    }
  }

  async #set(cid: string, known: Known, isPinned: boolean): Promise<void> {
    known.isPinned = undefined
    if (isPinned) await this.#nodes.pin(NODE, cid, { priority: Math.floor(Math.random() * 10) })
    else await this.#nodes.unpin(NODE, cid)
    known.isPinned = isPinned
    this.acknowledged += 1
  }

  async #check(): Promise<void> {
    // At once: what is agreed on and not yet counted is not garbage.
    await this.#nodes.gc(NODE)
    const { pins, next } = await this.#nodes.list(NODE, { limit: 1000 })
    expect(next).to.equal(null)
    const listed = new Set(pins.map(({ cid }) => cid))
    for (const cid of listed) await this.#nodes.held(NODE, cid, 1)
    for (const [cid, known] of this.#known) {
      known.isPinned ??= listed.has(cid)
      expect(listed.has(cid), `${cid} is pinned`).to.equal(known.isPinned)
      if (known.isPinned) expect((await this.#nodes.cat(NODE, cid)).equals(known.bytes), cid).to.equal(true)
      else this.#known.delete(cid)
    }
    expect(await this.#nodes.verify(NODE)).to.deep.equal([])
    await this.#nodes.gc(NODE)
    const { usedBytes, quotaBytes, freeBytes, pins: held } = await this.#nodes.repo(NODE)
    expect(held).to.deep.equal({ pinned: listed.size, pinning: 0, failed: 0 })
    expect(usedBytes, 'nothing but what is pinned').to.equal(quotaBytes - freeBytes)
  }
}

function someBytes(): Buffer {
  const size = anyOf(SIZES)
  const own = randomBytes(Math.min(size, 200_000))
  return size > SHARED.byteLength ? Buffer.concat([SHARED, own]) : own
}
