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
type Status = 400 | 401 | 403 | 404 | 405 | 409 | 413 | 415 | 500 | 502 | 503 | 504 | 507

export interface ErrorKind {
  exit: ExitCode
  /** HTTP status with which the API answers. */
  status: Status
  meaning: string
}

export const kind = (exit: ExitCode, usual: Status) => {
  return (meaning: string, status: Status = usual): ErrorKind => ({ exit, status, meaning })
}
export const failed = kind(EXIT.error, 500)
export const unreachable = kind(EXIT.unreachable, 502)
export const invalid = kind(EXIT.invalid, 400)
export const refused = kind(EXIT.refused, 409)
export const unhealthy = kind(EXIT.unhealthy, 503)
export const io = kind(EXIT.io, 500)
export const late = kind(EXIT.timeout, 504)
export const denied = kind(EXIT.denied, 403)
