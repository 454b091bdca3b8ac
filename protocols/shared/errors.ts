/**
 * The base of every error of ours: branch on `code`, never on the message.
 *
 * @param code - stable, `E_` and capitals; listed with its meaning and exit code in `node/errors.ts`
 * @param message - what happened and why, in a sentence for a person
 * @param options.hint - what to do next
 */
export class CodedError extends Error {
  override name = 'CodedError'
  readonly code: string
  readonly hint: string | undefined

  constructor(code: string, message: string, options: { hint?: string | undefined; cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.code = code
    this.hint = options.hint
  }
}

/** @returns the code of an error of ours or of a dependency, `E_INTERNAL` when it has none */
export function codeOf(error: unknown): string {
  if (error instanceof CodedError) return error.code
  if (error !== null && typeof error === 'object' && 'code' in error && typeof error.code === 'string')
    return error.code
  return 'E_INTERNAL'
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
