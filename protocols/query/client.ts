import type { Libp2p, PeerId, Stream } from '@libp2p/interface'
import { pipe } from 'it-pipe'
import { CodedError, messageOf } from '../shared/errors.ts'
import { readFrames, writeFrame } from '../shared/frames.ts'
import { openStream } from '../shared/open-stream.ts'
import { frameCodec, requestCodec, type QueryFrame, type QueryRequest } from './codec.ts'
import { MAX_ROW_BYTES, MAX_ROWS, QUERY_PROTOCOL, QUERY_TIMEOUT_MS } from './constants.ts'

export interface QueryOptions {
  signal: AbortSignal
  /** For dialling, asking and reading all rows; default 30 000. */
  timeoutMs?: number
}

/**
 * Asks one peer. Leaving the loop early cancels the query at the peer.
 *
 * @throws {CodedError} E_PEER_UNREACHABLE, E_QUERY_UNSUPPORTED, E_QUERY_PROTOCOL, E_TIMEOUT,
 * E_ABORTED, E_FRAME_*, or the code with which the peer ended the answer
 */
export async function* query(
  libp2p: Libp2p,
  peer: PeerId,
  request: QueryRequest,
  options: QueryOptions,
): AsyncGenerator<unknown> {
  const timeoutMs = options.timeoutMs ?? QUERY_TIMEOUT_MS
  const deadline = AbortSignal.timeout(timeoutMs)
  const signal = AbortSignal.any([options.signal, deadline])
  const body = requestCodec.encode(request)
  let stream: Stream | undefined
  try {
    stream = await openStream(libp2p, peer, QUERY_PROTOCOL, { signal })
    // Listens before it asks, so that no answer is missed.
    const frames = readFrames(stream, { maxFrameBytes: MAX_ROW_BYTES, signal })
    const first = frames.next()
    first.catch(() => {})
    await writeFrame(stream, body, signal)
    await stream.close({ signal })
    yield* pipe(resume(first, frames), rowsOf)
  } catch (error) {
    stream?.abort(error instanceof Error ? error : new Error(String(error)))
    if (options.signal.aborted) throw new CodedError('E_ABORTED', 'cancelled', { cause: error })
    if (deadline.aborted) throw new CodedError('E_TIMEOUT', `no full answer within ${timeoutMs} ms`, { cause: error })
    throw error instanceof CodedError ? error : failure(error, stream !== undefined)
  }
}

/** The frames of a reader whose first was already asked for. */
async function* resume(
  first: Promise<IteratorResult<Uint8Array>>,
  frames: AsyncGenerator<Uint8Array>,
): AsyncGenerator<Uint8Array> {
  try {
    const result = await first
    if (result.done === true) return
    yield result.value
    yield* frames
  } finally {
    await frames.return(undefined)
  }
}

/** Reads to the end of the stream, which a peer closes after its last frame: leaving sooner would reset it. */
async function* rowsOf(frames: AsyncIterable<Uint8Array>): AsyncGenerator<unknown> {
  let rows = 0
  let last: QueryFrame | undefined
  for await (const bytes of frames) {
    if (last !== undefined) throw new CodedError('E_QUERY_PROTOCOL', 'the peer sent more after the end')
    const frame = frameCodec.decode(bytes)
    if (frame.type !== 'row') last = frame
    else if (++rows > MAX_ROWS) throw new CodedError('E_QUERY_TOO_LONG', `the peer sent more than ${MAX_ROWS} rows`)
    else yield frame.row
  }
  if (last?.type === 'error') throw new CodedError(last.code, last.message, { hint: last.hint })
  if (last?.type !== 'end') throw new CodedError('E_QUERY_PROTOCOL', 'the answer broke off')
  if (last.rows !== rows) throw new CodedError('E_QUERY_PROTOCOL', `${rows} rows came, ${last.rows} were sent`)
}

function failure(cause: unknown, wasOpen: boolean): CodedError {
  if (cause instanceof Error && cause.name === 'UnsupportedProtocolError') {
    return new CodedError('E_QUERY_UNSUPPORTED', 'the peer does not answer queries', { cause })
  }
  if (wasOpen) return new CodedError('E_QUERY_PROTOCOL', `the answer broke off: ${messageOf(cause)}`, { cause })
  return new CodedError('E_PEER_UNREACHABLE', `the peer cannot be reached: ${messageOf(cause)}`, {
    hint: 'see with `kairos peers` who is connected',
    cause,
  })
}
