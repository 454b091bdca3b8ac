import type { Stream } from '@libp2p/interface'
import { encode as varint } from 'uint8-varint'
import { Uint8ArrayList } from 'uint8arraylist'
import { drained } from '../shared/drain.ts'
import { CodedError } from '../shared/errors.ts'
import { refusalOf } from '../shared/fields.ts'
import { answerCodec } from './codec.ts'
import { REFUSAL_LINGER_MS, STALL_MS } from './constants.ts'

/** Hands one frame to the stream. @returns false when the peer is slower than we are */
export function sendFrame(stream: Stream, parts: readonly Uint8Array[]): boolean {
  const length = parts.reduce((sum, part) => sum + part.byteLength, 0)
  return stream.send(new Uint8ArrayList(varint(length), ...parts))
}

/**
 * Sends one frame and waits until it has left our memory.
 *
 * @throws {CodedError} E_BLOCKS_STALLED when the peer takes nothing for STALL_MS, E_STREAM_CLOSED, E_ABORTED
 */
export async function writeFrame(stream: Stream, parts: readonly Uint8Array[], signal: AbortSignal): Promise<void> {
  if (sendFrame(stream, parts)) return
  const stalled = AbortSignal.timeout(STALL_MS)
  try {
    await drained(stream, AbortSignal.any([signal, stalled]))
  } catch (error) {
    if (!stalled.aborted) throw error
    throw new CodedError('E_BLOCKS_STALLED', `the peer took nothing for ${STALL_MS / 1000} s`)
  }
}

/** Says why, reads nothing more, and waits a little for the other side to close. */
export async function refuse(stream: Stream, error: unknown): Promise<void> {
  const closed = new Promise<void>((resolve) => {
    stream.addEventListener('close', () => resolve())
    setTimeout(resolve, REFUSAL_LINGER_MS)
  })
  sendFrame(stream, answerCodec.encode(refusalOf(error)))
  await stream.closeRead()
  await stream.close({ signal: AbortSignal.timeout(REFUSAL_LINGER_MS) })
  await closed
}

export function keyOf(cid: Uint8Array): string {
  return Buffer.from(cid.buffer, cid.byteOffset, cid.byteLength).toString('latin1')
}
