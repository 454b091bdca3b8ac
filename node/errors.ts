import { CodedError, codeOf, messageOf } from '../protocols/shared/errors.ts'
import { ERRORS, type ErrorKind, type ExitCode } from './error-table.ts'

/** What the operating system reports when storage fails. */
const IO_CODES = new Set(
  (
    'EACCES EPERM EROFS ENOENT ENOTDIR EISDIR ENOSPC EDQUOT ' +
    'EIO EMFILE ENFILE EEXIST ENOTEMPTY ELOOP ENAMETOOLONG EFBIG'
  ).split(' '),
)

export interface ErrorDocument {
  code: string
  message: string
  hint?: string
}

export interface ErrorBody {
  error: ErrorDocument
}

/** @returns the row of an error's code; storage errors of the system are `E_IO`, unknown ones `E_INTERNAL` */
export function kindOf(error: unknown): ErrorKind {
  return ERRORS[ownCode(codeOf(error))] ?? ERRORS['E_INTERNAL']!
}

/** @param code - of this table, or of the operating system */
export function exitCodeOf(code: string): ExitCode {
  return (ERRORS[ownCode(code)] ?? ERRORS['E_INTERNAL']!).exit
}

/** The one shape of an error that leaves the process: the API's body, the `--json` line on stderr. */
export function errorBody(error: unknown): ErrorBody {
  const hint = error instanceof CodedError ? error.hint : undefined
  const body = { code: ownCode(codeOf(error)), message: messageOf(error) }
  return { error: hint === undefined ? body : { ...body, hint } }
}

/** A code of another release stays as it is: whoever reads it may know it. */
function ownCode(code: string): string {
  if (code.startsWith('E_')) return code
  return IO_CODES.has(code) ? 'E_IO' : 'E_INTERNAL'
}
