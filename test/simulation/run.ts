import type { CreateEngine } from '../../consensus/cell/engine.ts'
import { loadRaft } from '../../wasm/raft/load.ts'
import { cellMember } from './member.ts'
import { mutantOf } from './mutants/index.ts'
import type { ScheduleOptions } from './options.ts'
import { processorMs } from './processor-time.ts'
import { type Outcome, runSchedule } from './schedule.ts'

let engines: Promise<CreateEngine> | undefined

/** One schedule of the product's own cell. An engine's module that trapped is not used again. */
export async function simulate(options: ScheduleOptions): Promise<Outcome> {
  engines ??= loadRaft()
  const mutant = options.mutant === undefined ? undefined : mutantOf(options.mutant)
  const subject = { createEngine: await engines, createMember: cellMember, mutant }
  const outcome = await runSchedule(options, subject)
  if (outcome.violation?.invariant === TRAP) engines = undefined
  return outcome
}

/**
 * Looks for the first schedule, from `seed` on, that shows the mutant: one that holds without it.
 *
 * @param forMs - of processor time
 * @returns `undefined` when there is none in time
 */
export async function hunt(options: ScheduleOptions, forMs: number): Promise<Outcome | undefined> {
  const until = processorMs() + forMs
  for (let seed = options.seed; processorMs() < until; seed++) {
    const outcome = await simulate({ ...options, seed })
    if (outcome.violation === undefined) continue
    const honest = await simulate({ ...options, seed, mutant: undefined })
    if (honest.violation === undefined) return outcome
  }
  return undefined
}

const TRAP = 'the engine never traps'
