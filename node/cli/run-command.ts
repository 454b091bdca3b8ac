import { CommanderError, type Command } from 'commander'
import { CodedError } from '../../protocols/shared/errors.ts'
import { EXIT } from '../error-table.ts'
import { usageError, report } from './failure.ts'
import { createIo, type Io, type Streams } from './io.ts'
import { createProgram, globalFlags } from './program.ts'
import { VERBS } from './verb-table.ts'

/**
 * Runs one command line.
 *
 * @param args - without the program's own name
 * @param interrupt - ends it early; its reason is the error to end with
 * @returns the exit code
 */
export async function runCommand(args: string[], streams: Streams, interrupt: AbortSignal): Promise<number> {
  const program = createProgram()
  const timeout = new AbortController()
  const signal = AbortSignal.any([interrupt, timeout.signal])
  const io = createIo(streams, () => globalFlags(program), signal)
  try {
    await registerVerbs(program, io, args)
    program.hook('preAction', () => limitTime(io, timeout))
    await program.parseAsync(args, { from: 'user' })
    return io.exitCode
  } catch (error) {
    if (error instanceof CommanderError && error.exitCode === 0) return EXIT.ok
    if (!(error instanceof CommanderError)) return report(io, failureOf(error, signal))
    // A flag that cannot be read may stand before --json.
    if (args.includes('--json')) program.setOptionValue('json', true)
    return report(io, usageError(error))
  }
}

/** The longest that a timer can wait, 24 days; a longer one would ring at once. */
const LONGEST_TIMER_MS = 2 ** 31 - 1

/** Loads the verb that was called; all of them for help, completion, and a name that is none. */
async function registerVerbs(program: Command, io: Io, args: string[]): Promise<void> {
  const [verb = ''] = createProgram().parseOptions(args).operands
  const alone = Object.hasOwn(VERBS, verb) && verb !== 'completion' ? VERBS[verb] : undefined
  const load = alone === undefined ? Object.values(VERBS) : [alone]
  const modules = await Promise.all(load.map((verb) => verb()))
  for (const { register } of modules) await register(program, io)
}

function limitTime(io: Io, controller: AbortController): void {
  const { timeout } = io.flags
  if (timeout === undefined) return
  const expire = () => controller.abort(tooLate(timeout))
  setTimeout(expire, Math.min(timeout * 1000, LONGEST_TIMER_MS)).unref()
}

function tooLate(seconds: number): CodedError {
  const hint = 'give it longer with --timeout; `kairos status` tells whether the node is well'
  return new CodedError('E_TIMEOUT', `not done within ${seconds} s`, { hint })
}

/** An abort surfaces as many errors, by where it hit; its reason is the one to show. */
function failureOf(error: unknown, signal: AbortSignal): unknown {
  return signal.aborted ? signal.reason : error
}
