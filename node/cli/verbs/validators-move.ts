import { InvalidArgumentError, type Command } from 'commander'
import type { ChangeDocument, MotionDocument, Policy } from '../../operations.ts'
import { createClient } from '../client.ts'
import type { Io } from '../io.ts'
import { countArgument, examples } from '../program.ts'
import { parseDuration } from '../text.ts'
import { motionText, ONE_Q30 } from '../validators-text.ts'

const PEER = '12D3KooWBmAwcd4PJNJvfV89HwE48nwkRmAgo8Vy3uQEyNNHBox2'

interface When {
  effectiveAt?: number
  expiresIn?: number
}

interface OperatorFlags extends When {
  name: string
  cell: string
  weight: number
  member?: string[]
}

/** What validators may move to change: more than two thirds of the power carry it. */
export function registerMove(validators: Command, io: Io): void {
  const move = validators.command('move').description('move a change of the operators or the policy, and vote for it')
  examples(move, 'kairos validators move remove-operator delta')
  registerOperator(move, io)
  registerRemove(move, io)
  registerPolicy(move, io)
}

function registerOperator(move: Command, io: Io): void {
  const command = whenFlags(
    move
      .command('operator')
      .description('a new operator with its first nodes, or another weight or name for one that there is')
      .requiredOption('--name <name>', 'for people')
      .requiredOption('--cell <cell>', 'its cell')
      .requiredOption(
        '--weight <n>',
        'whole, from 1 on; of four operators or more none may have a third',
        countArgument(1, 2 ** 33 - 1),
      )
      .option('--member <peers...>', 'peer ids of its first full nodes, or names where they are known'),
  ).action(({ name, cell, weight, member = [], ...when }: OperatorFlags) =>
    send(io, { type: 'operator-set', name, cell, weight, members: member }, when),
  )
  examples(command, `kairos validators move operator --name Delta --cell delta --weight 3 --member ${PEER}`)
}

function registerRemove(move: Command, io: Io): void {
  const command = whenFlags(
    move.command('remove-operator <cell>').description('an operator goes, with its vote and its weight'),
  ).action((cell: string, when: When) => send(io, { type: 'operator-remove', cell }, when))
  examples(command, 'kairos validators move remove-operator delta --effective-at 90000')
}

function registerPolicy(move: Command, io: Io): void {
  const command = whenFlags(
    move
      .command('policy <key=value...>')
      .description(`another policy: ${Object.keys(POLICY).join(', ')}; times such as 500ms, 2s or 21d`),
  ).action((given: string[], when: When) =>
    send(io, { type: 'policy-set', policy: Object.assign({}, ...given.map(policyArgument)) as Partial<Policy> }, when),
  )
  examples(
    command,
    'kairos validators move policy epochMs=500ms idleEpochMs=5s',
    'kairos validators move policy doubleVote=note',
  )
}

function whenFlags(command: Command): Command {
  return command
    .option(
      '--effective-at <height>',
      'the epoch from which it is to hold; as soon as it may unless told',
      countArgument(1),
    )
    .option('--expires-in <epochs>', 'lapses when it is not carried by then', countArgument(1, 1_000_000))
}

async function send(io: Io, change: ChangeDocument, { effectiveAt, expiresIn }: When): Promise<void> {
  const document = await createClient(io).post<MotionDocument>('/motions/move', { change, effectiveAt, expiresIn })
  await io.document(document, () => motionText(document))
}

const POLICY: Readonly<Record<keyof Policy, (text: string) => number | string | undefined>> = {
  epochMs: milliseconds,
  idleEpochMs: milliseconds,
  trustingMs: milliseconds,
  collapseThreshold: (text) => (Number(text) > 0 && Number(text) < 1 ? Math.round(Number(text) * ONE_Q30) : undefined),
  maxValidators: (text) => (/^\d+$/.test(text) ? Number(text) : undefined),
  doubleVote: (text) => (text === 'remove' || text === 'note' ? text : undefined),
}

/** A number alone is milliseconds, as the key's name says. */
function milliseconds(text: string): number | undefined {
  const seconds = parseDuration(/^\d+$/.test(text) ? `${text}ms` : text)
  return seconds === undefined ? undefined : Math.round(seconds * 1000)
}

function policyArgument(text: string): Partial<Policy> {
  const [, key = '', value = ''] = /^(\w+)=(.+)$/.exec(text) ?? []
  if (!Object.hasOwn(POLICY, key))
    throw new InvalidArgumentError(`Give KEY=VALUE; keys: ${Object.keys(POLICY).join(', ')}.`)
  const parsed = POLICY[key as keyof Policy](value)
  if (parsed === undefined) throw new InvalidArgumentError(`${value} is no value of ${key}.`)
  return { [key]: parsed }
}
