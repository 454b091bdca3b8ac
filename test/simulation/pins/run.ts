import type { Violation } from './judge.ts'
import { pinMutantOf } from './mutants.ts'
import { Nemesis } from './nemesis.ts'
import { AUDIT_MS, FAULTS_MS, HEAL_MS, QUIET_MS } from './options.ts'
import { People } from './people.ts'
import { World } from './world.ts'

export interface PinScheduleOptions {
  readonly seed: number
  readonly mutant: string | undefined
  readonly verbose: boolean
}

export interface PinOutcome {
  readonly seed: number
  readonly violation: Violation | undefined
  /** of all that happened; the same for the same options */
  readonly hash: string
  readonly events: number
  readonly moves: number
  /** virtual milliseconds from the end of the faults to the last change */
  readonly healedMs: number
  readonly lines: readonly string[]
}

const POLL_MS = 500
const LOOK_MS = 1_000

/** One life of the pins of one cell: faults, then healing, then all is as it is to be and nothing moves. */
export async function simulatePins({ seed, mutant, verbose }: PinScheduleOptions): Promise<PinOutcome> {
  const world = new World(seed, mutant === undefined ? undefined : pinMutantOf(mutant), verbose)
  const nemesis = new Nemesis(world)
  const people = new People(world)
  const audit = (): void => {
    world.audit()
    world.time.after(AUDIT_MS, audit)
  }
  const look = (): void => {
    world.judge.look()
    world.time.after(LOOK_MS, look)
  }
  audit()
  look()
  let healedMs = 0
  if (await until(world, FAULTS_MS)) {
    nemesis.heal()
    people.active = false
    await until(world, world.now + 2_000)
    people.addAgain()
    healedMs = await settle(world)
  }
  for (const member of world.members.values()) member.crash()
  const { trace, judge, moves } = world
  return {
    seed,
    violation: judge.violation,
    hash: trace.hash,
    events: trace.count,
    moves,
    healedMs,
    lines: trace.lines,
  }
}

/** @returns how long it took */
async function settle(world: World): Promise<number> {
  const began = world.now
  let whole: number | undefined
  let why: string | undefined
  while (world.now < began + HEAL_MS) {
    if (!(await until(world, world.now + POLL_MS))) return 0
    why = world.judge.difference()
    if (why !== undefined || world.now - world.lastMoveAt < POLL_MS) whole = undefined
    else whole ??= world.now
    if (whole !== undefined && world.now - whole >= QUIET_MS) return whole - began
  }
  const last = world.now - world.lastMoveAt < QUIET_MS ? 'pins still move' : (why ?? 'it came and went')
  world.judge.report('a mesh that is whole again comes to rest with every pin as it is to be', last)
  return 0
}

/** @returns false when something was violated */
async function until(world: World, ms: number): Promise<boolean> {
  while (world.time.step(ms)) {
    await settled()
    if (world.judge.violation !== undefined) return false
  }
  return world.judge.violation === undefined
}

/** All promises that the last event settled have run: Node empties the microtasks before the next tick's callbacks. */
function settled(): Promise<void> {
  return new Promise((resolve) => process.nextTick(resolve))
}
