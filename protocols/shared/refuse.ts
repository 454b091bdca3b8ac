import type { Stream } from '@libp2p/interface'
import { writeFrame } from './frames.ts'

/** For the other side to read why it was refused. */
const LINGER_MS = 500

/** Says why, reads nothing more, and resets the stream if the other side does not close it in time. */
export async function refuse(stream: Stream, frame: Uint8Array): Promise<void> {
  const linger = AbortSignal.timeout(LINGER_MS)
  const abort = (): void => stream.abort(new Error('refused'))
  linger.addEventListener('abort', abort)
  stream.addEventListener('close', () => linger.removeEventListener('abort', abort))
  // What comes in the meantime is thrown away by libp2p.
  await stream.closeRead()
  await writeFrame(stream, frame, linger)
  await stream.close({ signal: linger })
}
