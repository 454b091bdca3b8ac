import type { Stream } from '@libp2p/interface'
import { StatusLine, remoteRefusal, type StatusOutcome, type StatusPort } from './exchange.ts'

/**
 * Answers: reads the peer's status, sends ours or a refusal, reads whether the peer accepts.
 *
 * @throws {CodedError} E_STATUS_FAILED, E_FRAME_* or E_ABORTED when the exchange did not come to an end
 */
export async function answerStatus(stream: Stream, port: StatusPort, signal: AbortSignal): Promise<StatusOutcome> {
  const line = new StatusLine(stream, signal)
  try {
    const outcome = await line.judge(await line.receive(), port)
    if (outcome.kind === 'refused') {
      await line.close()
      return outcome
    }
    await line.send({ type: 'status', ...port.own() })
    const answer = await line.receive()
    await line.close()
    return answer.type === 'refused' ? remoteRefusal(answer) : outcome
  } catch (error) {
    line.abort(error)
    throw error
  }
}
