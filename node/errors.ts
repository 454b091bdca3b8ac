import { CodedError, codeOf, messageOf } from '../protocols/shared/errors.ts'

/** Exit codes of the command line; scripts may rely on them. */
export const EXIT = {
  ok: 0,
  error: 1,
  unreachable: 2,
  invalid: 3,
  refused: 4,
  unhealthy: 5,
  io: 6,
  timeout: 7,
  denied: 8,
  usage: 128,
  interrupted: 130,
} as const

export type ExitCode = (typeof EXIT)[keyof typeof EXIT]

export interface ErrorKind {
  exit: ExitCode
  /** HTTP status with which the API answers. */
  status: 400 | 401 | 403 | 404 | 405 | 408 | 409 | 413 | 415 | 421 | 500 | 502 | 503 | 504 | 507
  meaning: string
}

const kind = (exit: ExitCode, status: ErrorKind['status'], meaning: string): ErrorKind => ({ exit, status, meaning })

/** Every code of ours; a test keeps this table and the sources together. */
export const ERRORS: Readonly<Record<string, ErrorKind>> = {
  E_INTERNAL: kind(EXIT.error, 500, 'A defect of kairos, or an error without a code.'),
  E_IO: kind(EXIT.io, 500, 'A file, directory or stream could not be read or written.'),
}

/** What the operating system reports when storage fails, as far as an operator can do something about it. */
const IO_CODES = new Set([
  ...['EACCES', 'EPERM', 'EROFS', 'ENOENT', 'ENOTDIR', 'EISDIR', 'ENOSPC', 'EDQUOT'],
  ...['EIO', 'EMFILE', 'ENFILE', 'EEXIST', 'ENOTEMPTY', 'ELOOP', 'ENAMETOOLONG', 'EFBIG'],
])

/** @returns the row of an error's code; storage errors of the system count as `E_IO`, unknown ones as `E_INTERNAL` */
export function kindOf(error: unknown): ErrorKind {
  const code = codeOf(error)
  return ERRORS[code] ?? ERRORS[IO_CODES.has(code) ? 'E_IO' : 'E_INTERNAL']!
}

export interface ErrorBody {
  error: { code: string; message: string; hint?: string }
}

/** The one shape of an error that leaves the process: the API's body, the `--json` line on stderr. */
export function errorBody(error: unknown): ErrorBody {
  const hint = error instanceof CodedError ? error.hint : undefined
  const code = codeOf(error)
  const ours = code in ERRORS || code.startsWith('E_')
  return {
    error: {
      code: ours ? code : IO_CODES.has(code) ? 'E_IO' : 'E_INTERNAL',
      message: messageOf(error),
      ...(hint === undefined ? {} : { hint }),
    },
  }
}
