import type { Libp2p, PeerId, Stream } from '@libp2p/interface'
import { CodedError, messageOf } from '../shared/errors.ts'
import { readFrames, writeFrame } from '../shared/frames.ts'
import { openStream } from '../shared/open-stream.ts'
import {
  answerCodec,
  requestCodec,
  type AuditAnswer,
  type AuditRequest,
  type Challenge,
  type ProofAnswer,
  type Results,
} from './codec.ts'
import { AUDIT_PROTOCOL, MAX_ANSWER_BYTES, OPEN_TIMEOUT_MS } from './constants.ts'

export interface AskOptions {
  signal: AbortSignal
  /** From the moment that the request leaves: opening the stream, when the peer knows nothing yet, has its own limit. */
  deadlineMs: number
}

/**
 * Has one copy proven.
 *
 * @throws {CodedError} E_PEER_UNREACHABLE, E_AUDIT_UNSUPPORTED, E_TIMEOUT when the answer is late, E_AUDIT_PROTOCOL,
 * E_FRAME_*, E_ABORTED, or the code with which the peer refuses
 */
export async function challenge(
  libp2p: Libp2p,
  peer: PeerId,
  asked: Challenge,
  options: AskOptions,
): Promise<ProofAnswer> {
  const answer = await ask(libp2p, peer, { type: 'challenge', ...asked }, options)
  if (answer.type === 'results') throw unasked()
  if (answer.type === 'missing' && !asked.blocks.some((block) => Buffer.compare(block, answer.block) === 0))
    throw unasked()
  return answer
}

/** What the peer has found out itself, after a cursor. @throws {CodedError} as `challenge` */
export async function askResults(libp2p: Libp2p, peer: PeerId, after: number, options: AskOptions): Promise<Results> {
  const answer = await ask(libp2p, peer, { type: 'results', after }, options)
  if (answer.type !== 'results') throw unasked()
  return { rows: answer.rows, next: answer.next }
}

async function ask(libp2p: Libp2p, peer: PeerId, request: AuditRequest, options: AskOptions) {
  const stream = await open(libp2p, peer, options.signal)
  const deadline = AbortSignal.timeout(options.deadlineMs)
  const signal = AbortSignal.any([options.signal, deadline])
  try {
    const answer = await exchange(stream, requestCodec.encode(request), signal)
    if (answer.type === 'refused') throw new CodedError(answer.code, answer.message)
    return answer
  } catch (error) {
    stream.abort(error instanceof Error ? error : new Error(String(error)))
    if (options.signal.aborted) throw new CodedError('E_ABORTED', 'cancelled', { cause: error })
    if (deadline.aborted)
      throw new CodedError('E_TIMEOUT', `no answer within ${options.deadlineMs} ms`, { cause: error })
    throw error instanceof CodedError ? error : failure(error, 'E_AUDIT_PROTOCOL', 'the answer broke off')
  }
}

async function open(libp2p: Libp2p, peer: PeerId, outer: AbortSignal): Promise<Stream> {
  try {
    const signal = AbortSignal.any([outer, AbortSignal.timeout(OPEN_TIMEOUT_MS)])
    return await openStream(libp2p, peer, AUDIT_PROTOCOL, { signal })
  } catch (error) {
    if (outer.aborted) throw new CodedError('E_ABORTED', 'cancelled', { cause: error })
    throw failure(error, 'E_PEER_UNREACHABLE', 'the peer cannot be reached')
  }
}

/** One frame each way. Reads to the end of the stream, which leaving sooner would reset. */
async function exchange(stream: Stream, request: Uint8Array, signal: AbortSignal): Promise<AuditAnswer> {
  // Listens before it asks, so that no answer is missed.
  const frames = readFrames(stream, { maxFrameBytes: MAX_ANSWER_BYTES, signal })
  const first = frames.next()
  first.catch(() => {})
  try {
    await writeFrame(stream, request, signal)
    await stream.close({ signal })
    const { done, value } = await first
    if (done === true) throw new CodedError('E_AUDIT_PROTOCOL', 'the peer said nothing')
    if ((await frames.next()).done !== true) throw new CodedError('E_AUDIT_PROTOCOL', 'a second answer on one stream')
    return answerCodec.decode(value)
  } finally {
    await frames.return(undefined)
  }
}

function unasked(): CodedError {
  return new CodedError('E_AUDIT_PROTOCOL', 'an answer to what was not asked')
}

function failure(cause: unknown, code: string, what: string): CodedError {
  if (cause instanceof Error && cause.name === 'UnsupportedProtocolError')
    return new CodedError('E_AUDIT_UNSUPPORTED', 'the peer answers no audits', { cause })
  return new CodedError(code, `${what}: ${messageOf(cause)}`, { cause })
}
