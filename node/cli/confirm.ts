import { createInterface } from 'node:readline/promises'
import { CodedError } from '../../protocols/shared/errors.ts'
import type { Io } from './io.ts'

/**
 * Asks before what cannot be undone, where a person can answer.
 *
 * @param what - as a sentence: `The node leaves its cell.`
 * @throws {CodedError} E_USAGE where nobody can be asked, E_INTERRUPTED for anything but a yes
 */
export async function confirm(io: Io, what: string): Promise<void> {
  if (io.stdin.isTTY !== true || io.stderr.isTTY !== true || io.flags.json !== undefined)
    throw new CodedError('E_USAGE', `${what} Nobody can be asked whether that is meant`, { hint: 'say so with --yes' })
  // Not raw: Ctrl-C reaches the process as at any other time.
  const lines = createInterface({ input: io.stdin, output: io.stderr, terminal: false })
  const closed = new Promise<string>((resolve) => lines.once('close', () => resolve('')))
  try {
    const answer = await Promise.race([lines.question(`${what} Go on? [y/N] `, { signal: io.signal }), closed])
    if (!/^y(es)?$/i.test(answer.trim())) throw new CodedError('E_INTERRUPTED', 'nothing was done')
  } finally {
    lines.close()
  }
}
