import { InvalidArgumentError, type Command } from 'commander'
import type { MotionDocument, ValidatorsDocument } from '../../operations.ts'
import { createClient } from '../client.ts'
import type { Io } from '../io.ts'
import { defaultVerb, examples, type Register } from '../program.ts'
import { motionsText, motionText, validatorsText } from '../validators-text.ts'
import { registerMove } from './validators-move.ts'

export const register: Register = (program, io) => {
  const validators = program
    .command('validators')
    .description('who decides the epochs of the mesh, and by which policy; changes are voted on')
  examples(validators, 'kairos validators')
  registerLs(validators, io)
  registerMotions(validators, io)
  registerMove(validators, io)
  registerVote(validators, io)
}

function registerLs(validators: Command, io: Io): void {
  const command = defaultVerb(validators, 'ls')
    .description('operators, their weight and nodes, and the policy')
    .action(async () => {
      const document = await createClient(io).get<ValidatorsDocument>('/validators')
      await io.document(document, () => validatorsText(document))
    })
  examples(command, 'kairos validators ls', 'kairos validators ls --json')
}

function registerMotions(validators: Command, io: Io): void {
  const command = validators
    .command('motions')
    .description('changes that are voted on, or carried and not in effect yet')
    .action(async () => {
      const document = await createClient(io).get<{ motions: MotionDocument[] }>('/motions')
      await io.document(document, () => motionsText(document.motions))
    })
  examples(command, 'kairos validators motions')
}

function registerVote(validators: Command, io: Io): void {
  const command = validators
    .command('vote')
    .argument('<motion>', 'its id, or how that begins', motionArgument)
    .description('vote for a motion with the power of this validator')
    .option('--no', 'against it')
    .action(async (motion: string, flags: { no?: true }) => {
      const document = await createClient(io).post<MotionDocument>('/motions/vote', {
        motion,
        yes: flags.no !== true,
      })
      await io.document(document, () => motionText(document))
    })
  examples(command, 'kairos validators vote 7f3a', 'kairos validators vote 7f3a --no')
}

function motionArgument(text: string): string {
  if (/^[0-9a-f]{1,64}$/.test(text)) return text
  throw new InvalidArgumentError('Give hexadecimal digits, as `kairos validators motions` shows them.')
}
