import type { Stream } from '@libp2p/interface'
import type { Codec } from './codec.ts'
import { CodedError } from './errors.ts'
import { readFrames } from './frames.ts'

export interface RequestOptions {
  /** a peer that takes longer to send one small frame is stalling */
  timeoutMs: number
  /** of a stream with no request, or a second one */
  faultCode: string
  signal: AbortSignal
}

/**
 * The one frame of an asker, whose end must then close.
 *
 * @throws {CodedError} `faultCode`, E_FRAME_*; E_STREAM_CLOSED where the asker left; E_ABORTED when it takes too long, and the stream is reset
 */
export async function readRequest<T>(
  stream: Stream,
  codec: Codec<T>,
  { timeoutMs, faultCode, signal }: RequestOptions,
): Promise<T> {
  const patience = AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)])
  const frames = readFrames(stream, { maxFrameBytes: codec.maxBytes, signal: patience })
  // Asked one by one, not iterated: leaving an iteration resets the stream, and a refusal could not be told.
  const first = await frames.next()
  if (first.done === true) throw unasked(stream, faultCode)
  const request = codec.decode(first.value)
  if ((await frames.next()).done !== true) throw new CodedError(faultCode, 'a second request on one stream')
  return request
}

/** Of a stream that ended before anything came: only who closed its end, and nothing else, had nothing to ask. */
export function unasked(stream: Stream, faultCode: string): CodedError {
  return stream.status === 'open'
    ? new CodedError(faultCode, 'no request')
    : new CodedError('E_STREAM_CLOSED', 'the asker left')
}
