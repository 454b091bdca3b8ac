import { expect } from 'chai'
import * as fc from 'fast-check'
import { CID } from 'multiformats/cid'
import type { LocalPins } from '../../../node/content/pins/index.ts'
import { codeOf } from '../../../protocols/shared/errors.ts'
import { collect } from '../../helpers/collect.ts'
import { Crashed, Fuse, MemorySublevel, type Rows } from '../../helpers/memory-sublevel.ts'
import {
  Mesh,
  MemoryBlocks,
  namesOf,
  NEVER,
  node,
  openIndex,
  rawBlock,
  type Block,
} from '../../helpers/pin-fixtures.ts'
import { checkHeld, checkSwept } from '../../helpers/pin-invariants.ts'

type Mode = 'recursive' | 'direct'
type Step = { do: 'pin'; root: number; mode: Mode } | { do: 'unpin'; root: number } | { do: 'gc' }

const leaves = ['a', 'b', 'c', 'd'].map(rawBlock)
const shared = node('shared', leaves.slice(0, 2))
/** Roots, each with all that is below it. */
const DAGS: Block[][] = [
  [node('one', [shared, leaves[2]!]), shared, ...leaves.slice(0, 3)],
  [node('two', [shared, leaves[3]!, leaves[0]!]), shared, leaves[0]!, leaves[1]!, leaves[3]!],
  [shared, leaves[0]!, leaves[1]!],
  [leaves[0]!],
]
const rootOf = (index: number): CID => DAGS[index]![0]!.cid

/** A disk, and what was acknowledged on it. */
class Machine {
  readonly #rows: Rows = new Map()
  readonly #blocks = new Map<string, Block>()
  readonly #mesh = new Mesh().add(...DAGS.flat())
  readonly acknowledged = new Map<number, Mode>()
  fuse = new Fuse()
  pins!: LocalPins
  store!: MemoryBlocks
  sublevel!: MemorySublevel

  async start(fuse = new Fuse()): Promise<this> {
    this.fuse = fuse
    this.store = new MemoryBlocks(this.#blocks, fuse)
    this.sublevel = new MemorySublevel(this.#rows, fuse)
    this.pins = (await openIndex({ rows: this.#rows, store: this.store, sublevel: this.sublevel })).pins
    return this
  }

  async run(step: Step): Promise<void> {
    const { pins, store } = this
    if (step.do === 'gc') {
      await collect(pins.gc(NEVER))
      return
    }
    // From its start on, what it will be is open.
    this.acknowledged.delete(step.root)
    const root = rootOf(step.root)
    if (step.do === 'unpin') return pins.unpin(root)
    await pins.pin(root, { mode: step.mode, get: this.#mesh.over(store), signal: NEVER })
    this.acknowledged.set(step.root, step.mode)
  }

  /** @returns whether the step was done before the end of the process */
  async survives(step: Step): Promise<boolean> {
    try {
      await this.run(step)
      return true
    } catch (error) {
      if (error instanceof Crashed) return false
      throw error
    }
  }

  async check(): Promise<void> {
    await checkHeld(this.pins, this.store, CID.parse)
    for (const [index, mode] of this.acknowledged) {
      const blocks = mode === 'direct' ? 1 : DAGS[index]!.length
      expect(await this.pins.get(rootOf(index))).to.include({ state: 'pinned', mode, blocks })
    }
  }

  async checkEnd(): Promise<void> {
    await this.check()
    expect((await this.pins.list({ limit: 10 })).length).to.equal(this.acknowledged.size)
    const wanted = [...this.acknowledged].flatMap(([index, mode]) => DAGS[index]!.slice(0, mode === 'direct' ? 1 : 99))
    await checkSwept(this.pins, this.store, namesOf(wanted))
  }
}

const otherMode = (mode: Mode): Mode => (mode === 'direct' ? 'recursive' : 'direct')

const SCRIPT: Step[] = [
  { do: 'pin', root: 0, mode: 'recursive' },
  { do: 'pin', root: 1, mode: 'recursive' },
  { do: 'unpin', root: 0 },
  { do: 'gc' },
  { do: 'pin', root: 0, mode: 'direct' },
  { do: 'pin', root: 0, mode: 'recursive' },
  { do: 'pin', root: 2, mode: 'recursive' },
  { do: 'pin', root: 1, mode: 'direct' },
  { do: 'unpin', root: 0 },
  { do: 'unpin', root: 1 },
  { do: 'gc' },
]

/** @param changesMind - whether after the crash the other mode is asked for first */
async function runWithCrash(script: readonly Step[], fuse: Fuse, changesMind = false): Promise<void> {
  const machine = await new Machine().start(fuse)
  for (const step of script) {
    if (await machine.survives(step)) continue
    await machine.start()
    // One that was under way is gone on with, or undone: here by the same call.
    if (step.do !== 'unpin') await machine.check()
    if (step.do === 'pin' && changesMind) {
      await machine.run({ ...step, mode: otherMode(step.mode) })
      await machine.check()
    }
    await machine.run(step)
    await machine.check()
  }
  // What comes now is not the script's.
  await machine.start()
  await machine.checkEnd()
}

describe('the pin index after a crash', () => {
  it('at every step of disk and database has lost no acknowledged pin, and holds no orphan', async () => {
    const whole = await new Machine().start()
    for (const step of SCRIPT) await whole.run(step)
    const { steps } = whole.fuse
    expect(steps).to.be.greaterThan(50)
    for (let at = 0; at < steps; at++) {
      await runWithCrash(SCRIPT, new Fuse(at, false))
      await runWithCrash(SCRIPT, new Fuse(at, true))
      await runWithCrash(SCRIPT, new Fuse(at, false), true)
    }
  })

  it('can be left as it is: what was half pinned is unpinned, and gc takes the rest', async () => {
    for (let at = 0; at < 30; at++) {
      const machine = await new Machine().start(new Fuse(at))
      for (const step of SCRIPT.slice(0, 3)) if (!(await machine.survives(step))) break
      await machine.start()
      for (const index of DAGS.keys()) await machine.run({ do: 'unpin', root: index })
      await machine.checkEnd()
    }
  })

  it('of an unpin goes on by itself', async () => {
    for (let at = 0; ; at++) {
      const machine = await new Machine().start()
      await machine.run(SCRIPT[0]!)
      await machine.start(new Fuse(at))
      if (await machine.survives({ do: 'unpin', root: 0 })) break
      await machine.start()
      if ((await machine.pins.get(rootOf(0))) !== undefined) continue
      for (let held = 1; held > 0; held = (await machine.pins.stat()).blocks) await new Promise(setImmediate)
      await machine.checkEnd()
    }
  })

  const index = fc.integer({ min: 0, max: DAGS.length - 1 })
  const step = fc.oneof<fc.Arbitrary<Step>[]>(
    fc.record({ do: fc.constant('pin'), root: index, mode: fc.constantFrom('recursive', 'direct') }),
    fc.record({ do: fc.constant('unpin'), root: index }),
    fc.record({ do: fc.constant('gc') }),
  )

  it('is that of a model, whatever was done before', async () => {
    const script = fc.array(step, { minLength: 1, maxLength: 12 })
    const property = fc.asyncProperty(
      script,
      fc.nat(80),
      fc.boolean(),
      fc.boolean(),
      (steps, at, isLastWritten, changesMind) => runWithCrash(steps, new Fuse(at, isLastWritten), changesMind),
    )
    await fc.assert(property, { numRuns: 300 })
  })

  it('and before any, is right in every order in which pins, unpins and gc can take turns', async () => {
    const property = fc.asyncProperty(
      fc.scheduler(),
      fc.array(step, { minLength: 2, maxLength: 6 }),
      async (scheduler, steps) => {
        const machine = await new Machine().start()
        await machine.run({ do: 'pin', root: 2, mode: 'recursive' })
        await machine.run({ do: 'unpin', root: 2 })
        interleave(machine, scheduler)
        const tasks = steps.map((each) => machine.run(each).then(() => 'none', codeOf))
        const codes = await scheduler.waitFor(Promise.all(tasks))
        expect(['none', 'E_ABORTED', 'E_GC_RUNNING']).to.include.members(codes)
        await machine.start()
        machine.acknowledged.clear()
        for (const pin of await machine.pins.list({ limit: 10 })) {
          const root = DAGS.findIndex(([block]) => block!.cid.toString() === pin.cid)
          if (pin.state === 'pinned') machine.acknowledged.set(root, pin.mode)
        }
        await checkHeld(machine.pins, machine.store, CID.parse)
        for (const root of DAGS.keys()) {
          if (!machine.acknowledged.has(root)) await machine.run({ do: 'unpin', root })
        }
        await machine.checkEnd()
      },
    )
    await fc.assert(property, { numRuns: 300 })
  })
})

/** Lets the scheduler choose when each call of the store and of the database goes on. */
function interleave({ store, sublevel }: Machine, scheduler: fc.Scheduler): void {
  const batch = sublevel.batch.bind(sublevel)
  sublevel.batch = async (writes) => {
    await scheduler.schedule(Promise.resolve(), 'batch')
    return batch(writes)
  }
  const has = sublevel.has.bind(sublevel)
  sublevel.has = async (key) => {
    const found = await has(key)
    // What was read may be old when it is looked at.
    await scheduler.schedule(Promise.resolve(), 'has')
    return found
  }
  const entries = sublevel.entries.bind(sublevel)
  sublevel.entries = async function* (range) {
    const found = await collect(entries(range))
    await scheduler.schedule(Promise.resolve(), 'entries')
    yield* found
  }
  for (const name of ['has', 'put', 'delete', 'list'] as const) {
    const call = store[name].bind(store) as (...args: unknown[]) => Promise<unknown>
    const later = async (...args: unknown[]) => {
      await scheduler.schedule(Promise.resolve(), name)
      return call(...args)
    }
    Object.assign(store, { [name]: later })
  }
}
