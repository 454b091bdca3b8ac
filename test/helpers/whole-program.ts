import type { Command } from 'commander'
import type { Io } from '../../node/cli/io.ts'
import { createProgram } from '../../node/cli/program.ts'
import { VERBS } from '../../node/cli/verb-table.ts'

/** The program with every verb. */
export async function createWholeProgram(io: Io): Promise<Command> {
  const program = createProgram()
  for (const load of Object.values(VERBS)) await (await load()).register(program, io)
  return program
}
