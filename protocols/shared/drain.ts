import type { Stream } from '@libp2p/interface'
import { CodedError } from './errors.ts'

/**
 * Waits while the stream's peer is slower than we are; call it when `send` returned false.
 *
 * Not `stream.onDrain`: that keeps its first promise (@libp2p/utils 7.4), so from the second time on
 * it resolves at once, and a sender that relies on it overflows the write buffer, which aborts the stream.
 *
 * @throws {CodedError} E_STREAM_CLOSED when the stream ends first, E_ABORTED
 */
export async function drained(stream: Stream, signal?: AbortSignal): Promise<void> {
  while (stream.writableNeedsDrain) {
    if (signal?.aborted === true) throw aborted(signal)
    if (stream.writeStatus === 'closed') throw closed()
    await nextDrain(stream, signal)
  }
}

async function nextDrain(stream: Stream, signal: AbortSignal | undefined): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  const onDrain = (): void => resolve()
  const onClose = (event: { error?: Error }): void => reject(closed(event.error))
  const onAbort = (): void => reject(aborted(signal))
  stream.addEventListener('drain', onDrain)
  stream.addEventListener('close', onClose)
  signal?.addEventListener('abort', onAbort)
  try {
    // The stream sends what it holds in a microtask before the one in which this goes on.
    await promise
  } finally {
    stream.removeEventListener('drain', onDrain)
    stream.removeEventListener('close', onClose)
    signal?.removeEventListener('abort', onAbort)
  }
}

function closed(cause?: Error): CodedError {
  return new CodedError('E_STREAM_CLOSED', 'the stream was closed before all was sent', { cause })
}

function aborted(signal: AbortSignal | undefined): CodedError {
  return new CodedError('E_ABORTED', 'cancelled', { cause: signal?.reason })
}
