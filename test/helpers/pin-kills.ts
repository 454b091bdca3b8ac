import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as delay } from 'node:timers/promises'
import { expect } from 'chai'
import { CID } from 'multiformats/cid'
import { collect } from './collect.ts'
import { temporaryDirectory } from './node-directory.ts'
import { pinDags } from './pin-dags.ts'
import { openPinDisk, type PinDisk } from './pin-disk.ts'
import { Mesh, namesOf, NEVER } from './pin-fixtures.ts'
import { checkHeld, checkSwept } from './pin-invariants.ts'

const WRITER = join(import.meta.dirname, 'pin-writer.ts')
const MOST_LINES = 120
const MOST_MS = 20

type Known = 'recursive' | 'direct' | 'none' | 'open'

/** One directory whose writer is killed again and again, and what it had acknowledged. */
export class PinKills {
  readonly #directory: Awaited<ReturnType<typeof temporaryDirectory>>
  readonly #dags = pinDags()
  readonly #known = new Map<number, Known>()
  acknowledged = 0

  private constructor(directory: Awaited<ReturnType<typeof temporaryDirectory>>) {
    this.#directory = directory
  }

  static async open(): Promise<PinKills> {
    return new PinKills(await temporaryDirectory())
  }

  async close(): Promise<void> {
    await this.#directory.remove()
  }

  /** A writer until it is killed, at a random point; then all that holds is looked at. */
  async cycle(sweeps: boolean): Promise<void> {
    await this.#writeUntilKilled()
    const disk = await openPinDisk(this.#directory.path)
    try {
      await this.#settle(disk)
      await this.#check(disk, sweeps)
    } finally {
      await disk.close()
    }
  }

  async #writeUntilKilled(): Promise<void> {
    const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', WRITER, this.#directory.path], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    const exit = new Promise<NodeJS.Signals | null>((resolve) => child.once('exit', (_, signal) => resolve(signal)))
    let lines = Math.ceil(Math.random() * MOST_LINES)
    for await (const line of createInterface({ input: child.stdout })) {
      this.#learn(JSON.parse(line) as [string, number, Known])
      if (--lines === 0) void delay(Math.random() * MOST_MS).then(() => child.kill('SIGKILL'))
    }
    expect(await exit, 'the writer ran until it was killed').to.equal('SIGKILL')
  }

  #learn([what, root, state]: [string, number, Known]): void {
    if (what === 'begins') this.#known.set(root, 'open')
    if (what !== 'is') return
    this.#known.set(root, state)
    this.acknowledged++
  }

  /** What was under way is gone on with, or undone. */
  async #settle({ pins, store }: PinDisk): Promise<void> {
    const get = new Mesh().add(...this.#dags.flat()).over(store)
    for (const [root, state] of this.#known) {
      if (state !== 'open') continue
      const { cid } = this.#dags[root]![0]!
      const next = (['recursive', 'direct', 'none'] as const)[Math.floor(Math.random() * 3)]!
      if (next === 'none') await pins.unpin(cid)
      else await pins.pin(cid, { mode: next, get, signal: NEVER })
      this.#known.set(root, next)
    }
  }

  async #check({ pins, store }: PinDisk, sweeps: boolean): Promise<void> {
    await checkHeld(pins, store, CID.parse)
    const wanted = [...this.#known].flatMap(([root, state]) => {
      if (state === 'none') return []
      return [{ blocks: this.#dags[root]!.slice(0, state === 'direct' ? 1 : Infinity), mode: state }]
    })
    for (const { blocks, mode } of wanted) {
      const pin = await pins.get(blocks[0]!.cid)
      expect(pin).to.include({ state: 'pinned', mode, blocks: blocks.length })
    }
    expect((await pins.stat()).pins).to.deep.equal({ pinned: wanted.length, pinning: 0, failed: 0 })
    if (sweeps) await checkSwept(pins, store, namesOf(wanted.flatMap(({ blocks }) => blocks)))
    const rows = await collect(pins.verify(undefined, { repair: false, signal: NEVER }))
    expect(rows.filter(({ cid }) => cid !== undefined)).to.deep.equal([])
  }
}
