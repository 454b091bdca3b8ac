import type { CommanderError } from 'commander'
import { CodedError, messageOf } from '../../protocols/shared/errors.ts'
import { EXIT } from '../error-table.ts'
import { errorBody, kindOf } from '../errors.ts'
import { colours, type Io } from './io.ts'
import { printable } from './text.ts'

/** commander's complaint in our shape. Its suggestion, `(Did you mean …?)`, becomes the hint. */
export function usageError(error: CommanderError): CodedError {
  if (error.code === 'commander.help')
    return new CodedError('E_USAGE', 'a verb is missing', {
      hint: 'Run `kairos help`, or add --help to what you typed.',
    })
  const [message = '', suggestion] = error.message.replace(/^error: /, '').split('\n')
  const hint = suggestion?.replace(/^\((.*)\)$/, '$1') ?? 'Run `kairos help` or `kairos help VERB`.'
  return new CodedError('E_USAGE', message, { hint, cause: error })
}

/**
 * Says on stderr what happened, why, and what to do next. The stack only with `--debug`: it means
 * nothing to a person who mistyped something.
 *
 * @returns the exit code
 */
export function report(io: Io, given: unknown): number {
  const error = ofFile(given)
  const { exit } = kindOf(error)
  if (io.flags.json) io.stderr.write(`${JSON.stringify(errorBody(error))}\n`)
  else if (exit !== EXIT.interrupted) io.stderr.write(describe(io, error))
  if (io.flags.debug && given instanceof Error) io.stderr.write(`${given.stack}\n`)
  return exit
}

const FILE_HINTS: Readonly<Record<string, string>> = {
  ENOENT: 'check the path: there is nothing',
  ENOTDIR: 'check the path: a part of it is no directory',
  EISDIR: 'name a file: this is a directory',
  EACCES: 'let this user have it, or name another place',
  EPERM: 'let this user have it, or name another place',
  EROFS: 'name a place that can be written',
  ENOSPC: 'free some space, or name another place',
}

/** What the system says of a path that the user gave: `ENOENT: no such file or directory, open '/x'` is no sentence. */
function ofFile(error: unknown): unknown {
  if (!(error instanceof Error) || error instanceof CodedError) return error
  const { code = '', path } = error as NodeJS.ErrnoException
  const hint = FILE_HINTS[code]
  if (hint === undefined || path === undefined) return error
  const [, why = code] = /^E[A-Z]+: ([^,]+)/.exec(error.message) ?? []
  return new CodedError('E_IO', `${path}: ${why}`, { hint })
}

function describe(io: Io, error: unknown): string {
  const { code, message, hint } = errorBody(error).error
  const [red, plain] = colours(io, io.stderr) ? ['\u001b[31m', '\u001b[0m'] : ['', '']
  const why = error instanceof Error && error.cause instanceof Error ? causes(error.cause, message) : ''
  // Some errors say in their one sentence what to do: once is enough.
  const next = hint === undefined || message.includes(hint) ? '' : `  ${printable(hint)}\n`
  return `${red}error${plain} ${code}: ${printable(message)}${why}\n${next}`
}

function causes(cause: Error, message: string): string {
  const text = messageOf(cause)
  return message.includes(text) || text.includes(message) || cause.name === 'CommanderError'
    ? ''
    : ` (${printable(text)})`
}
