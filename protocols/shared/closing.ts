import type { Stream } from '@libp2p/interface'
import { CodedError } from './errors.ts'

/** Aborts when the stream has ended: nobody reads an answer any more. */
export function closing(stream: Stream): AbortSignal {
  const gone = new AbortController()
  stream.addEventListener('close', () => gone.abort(new CodedError('E_STREAM_CLOSED', 'the peer left')))
  return gone.signal
}
