import { setTimeout as delay } from 'node:timers/promises'
import type { PeerId } from '@libp2p/interface'
import { requestJoin, type OpenStream } from '../../protocols/raft/index.ts'
import { CodedError, codeOf, messageOf } from '../../protocols/shared/errors.ts'
import type { Log } from '../telemetry/log.ts'

const RETRY_MS = 500

export interface JoinInit {
  incarnation: Uint8Array
  open: OpenStream
  /** Full nodes of this cell that are connected now. */
  members: () => PeerId[]
  signal: AbortSignal
  log: Log
  /** Why it takes so long; undefined when an attempt begins to go well. */
  onProblem: (problem: CodedError) => void
}

/**
 * Asks the cell for a raft id until a member gives one.
 *
 * @returns the id; undefined when the signal aborted
 */
export async function joinCell(init: JoinInit): Promise<number | undefined> {
  const { signal, log, incarnation } = init
  while (!signal.aborted) {
    const members = init.members()
    if (members.length === 0) init.onProblem(nobody())
    for (const peer of members) {
      try {
        const answer = await requestJoin(init.open, peer, incarnation, { signal, timeoutMs: 5000 })
        if (answer.type === 'joined') return answer.raftId
        init.onProblem(new CodedError(answer.code, `the cell does not let this node in: ${answer.message}`))
      } catch (error) {
        if (signal.aborted) return undefined
        log.debug('a member did not answer the request to join', { peer: peer.toString(), reason: messageOf(error) })
        init.onProblem(new CodedError(codeOf(error), `no member answers the request to join: ${messageOf(error)}`))
      }
    }
    await delay(RETRY_MS, undefined, { signal }).catch(() => undefined)
  }
  return undefined
}

function nobody(): CodedError {
  return new CodedError('E_NO_QUORUM', 'no other member of the cell is connected, so this one cannot join it', {
    hint: 'start a member of the cell, or connect to one with `kairos peers connect`',
  })
}
