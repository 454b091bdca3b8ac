import type { Libp2p, PeerId, Stream } from '@libp2p/interface'
import { CodedError, messageOf } from '../shared/errors.ts'
import { readFrames, writeFrame } from '../shared/frames.ts'
import { openStream } from '../shared/open-stream.ts'
import { pinsAnswerCodec, pinsRequestCodec, type PinsRequest } from './codec.ts'
import { ANSWER_TIMEOUT_MS, MAX_ANSWER_BYTES, PINS_PROTOCOL } from './constants.ts'

/**
 * Asks a full node of the own cell.
 *
 * @throws {CodedError} E_PEER_UNREACHABLE, E_PINS_PROTOCOL, E_TIMEOUT (it may have been carried out), E_ABORTED, or the
 *   code with which the node refused
 */
export async function askPins(
  libp2p: Libp2p,
  peer: PeerId,
  request: PinsRequest,
  outer: AbortSignal,
): Promise<unknown> {
  const deadline = AbortSignal.timeout(ANSWER_TIMEOUT_MS)
  const signal = AbortSignal.any([outer, deadline])
  const body = pinsRequestCodec.encode(request)
  let stream: Stream | undefined
  try {
    stream = await openStream(libp2p, peer, PINS_PROTOCOL, { signal })
    const frames = readFrames(stream, { maxFrameBytes: MAX_ANSWER_BYTES, signal })
    const first = frames.next()
    first.catch(() => {})
    await writeFrame(stream, body, signal)
    await stream.close({ signal })
    const { value } = await first
    await frames.return(undefined)
    if (value === undefined) throw new CodedError('E_PINS_PROTOCOL', 'the node closed the stream without an answer')
    const answer = pinsAnswerCodec.decode(value)
    if (answer.type === 'done') return answer.document
    throw new CodedError(answer.code, answer.message, answer.hint === undefined ? {} : { hint: answer.hint })
  } catch (error) {
    stream?.abort(error instanceof Error ? error : new Error(String(error)))
    if (outer.aborted) throw new CodedError('E_ABORTED', 'cancelled', { cause: error })
    if (deadline.aborted) throw new CodedError('E_TIMEOUT', 'the node did not answer in time', { cause: error })
    if (error instanceof CodedError) throw error
    throw new CodedError('E_PEER_UNREACHABLE', `${peer.toString()} cannot be asked: ${messageOf(error)}`, {
      cause: error,
    })
  }
}
