import type { Stream } from '@libp2p/interface'
import { writeFrame } from '../shared/frames.ts'
import { answerCodec } from './codec.ts'
import { REFUSAL_LINGER_MS } from './constants.ts'

/** Says why, reads nothing more, and resets the stream if the other side does not close it in time. */
export async function refuse(stream: Stream, code: string, message: string): Promise<void> {
  const linger = AbortSignal.timeout(REFUSAL_LINGER_MS)
  const abort = (): void => stream.abort(new Error(code))
  linger.addEventListener('abort', abort)
  stream.addEventListener('close', () => linger.removeEventListener('abort', abort))
  // What comes in the meantime is thrown away by libp2p.
  await stream.closeRead()
  await writeFrame(stream, answerCodec.encode({ type: 'refused', code, message: message.slice(0, 512) }), linger)
  await stream.close({ signal: linger })
}
