import type { Stream } from '@libp2p/interface'
import { StatusLine, type StatusOutcome, type StatusPort } from './exchange.ts'

/**
 * Asks first: sends our status, reads the peer's, says whether it may stay.
 *
 * @throws {CodedError} E_STATUS_FAILED, E_FRAME_* or E_ABORTED when the exchange did not come to an end
 */
export async function askStatus(stream: Stream, port: StatusPort, signal: AbortSignal): Promise<StatusOutcome> {
  const line = new StatusLine(stream, signal)
  try {
    await line.send({ type: 'status', ...port.own() })
    const outcome = await line.judge(await line.receive(), port)
    if (outcome.kind === 'accepted') await line.send({ type: 'accepted' })
    await line.close()
    return outcome
  } catch (error) {
    line.abort(error)
    throw error
  }
}
