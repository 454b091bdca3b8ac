import { parseTicket } from '../../protocols/admission/index.ts'
import { CodedError } from '../../protocols/shared/errors.ts'

/** @throws {CodedError} E_INVALID_INPUT */
export function requireWhole(what: string, value: number, max: number): void {
  if (Number.isSafeInteger(value) && value >= 1 && value <= max) return
  throw new CodedError('E_INVALID_INPUT', `${what} must be a whole number from 1 to ${max}, not ${value}`)
}

/**
 * A ticket that nobody can read must not leave the house: cell and addresses come from people and the network.
 *
 * @throws {CodedError} E_INVALID_INPUT
 */
export function readable(text: string): string {
  try {
    parseTicket(text)
    return text
  } catch (cause) {
    throw new CodedError('E_INVALID_INPUT', 'no ticket can carry this cell, these rights or these addresses', {
      hint: 'a cell is named with up to 32 of a–z, 0–9 and -',
      cause,
    })
  }
}
