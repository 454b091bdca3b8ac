import { processorMs } from '../processor-time.ts'
import { Keys } from './keys.ts'
import { meshMutantOf } from './mutants.ts'
import { meshProfileOf, type MeshScheduleOptions } from './options.ts'
import { MeshSchedule, type MeshOutcome } from './schedule.ts'

const TRAP = 'the engine never traps'

/** One schedule of a whole mesh through the product's own driver, application and engine. */
export async function simulateMesh(options: MeshScheduleOptions): Promise<MeshOutcome> {
  const { isReal } = meshProfileOf(options)
  const keys = await Keys.of(options.nodes, isReal)
  const mutant = options.mutant === undefined ? undefined : meshMutantOf(options.mutant)
  const outcome = await new MeshSchedule(options, keys, mutant).run()
  if (outcome.violation?.invariant === TRAP) Keys.forget()
  return outcome
}

/**
 * Looks for the first schedule, from `seed` on, that shows the mutant: one that holds without it.
 *
 * @param forMs - of processor time
 * @returns `undefined` when there is none in time
 */
export async function huntMesh(options: MeshScheduleOptions, forMs: number): Promise<MeshOutcome | undefined> {
  const until = processorMs() + forMs
  for (let seed = options.seed; processorMs() < until; seed++) {
    const outcome = await simulateMesh({ ...options, seed })
    if (outcome.violation === undefined) continue
    const honest = await simulateMesh({ ...options, seed, mutant: undefined })
    if (honest.violation === undefined) return outcome
  }
  return undefined
}
