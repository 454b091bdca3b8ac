import type { Mutant } from '../member.ts'
import { DRIVER_MUTANTS } from './driver.ts'
import { LOG_MUTANTS } from './log.ts'
import { MACHINE_MUTANTS } from './machine.ts'

export const MUTANTS: readonly Mutant[] = [...LOG_MUTANTS, ...MACHINE_MUTANTS, ...DRIVER_MUTANTS]

/** @throws RangeError for a name that no mutant has */
export function mutantOf(name: string): Mutant {
  const mutant = MUTANTS.find((one) => one.name === name)
  if (mutant === undefined)
    throw new RangeError(`no mutant ${name}; there are ${MUTANTS.map(({ name }) => name).join(', ')}`)
  return mutant
}
