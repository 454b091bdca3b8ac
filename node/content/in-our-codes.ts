import { CodedError } from '../../protocols/shared/errors.ts'

/** A source whose failures are said in our codes. */
export async function* coded<T>(signal: AbortSignal, source: AsyncIterable<T>): AsyncGenerator<T> {
  try {
    yield* source
  } catch (error) {
    throw inOurCodes(signal, error)
  }
}

/** What a cancelled or late operation throws is its signal's reason: said in our codes. */
export function inOurCodes(signal: AbortSignal, error: unknown): unknown {
  if (error instanceof CodedError || !signal.aborted) return error
  const isTimeout = signal.reason instanceof Error && signal.reason.name === 'TimeoutError'
  if (!isTimeout) return new CodedError('E_ABORTED', 'cancelled', { cause: error })
  return new CodedError('E_TIMEOUT', 'the content did not come in the time given', {
    hint: 'give more time with --timeout, or see with `kairos peers` who is connected',
    cause: error,
  })
}
