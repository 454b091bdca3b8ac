import type { Libp2p } from '@libp2p/interface'
import { peerIdFromString } from '@libp2p/peer-id'
import type { Service } from '../service.ts'

const LOOK_EVERY_MS = 500
const DIAL_TIMEOUT_MS = 10_000
/** Between two attempts at one member; one that is off is dialled by the network too, once it was connected. */
const RETRY_AFTER_MS = 5_000

export interface AcquaintanceInit {
  libp2p: Pick<Libp2p, 'getPeers' | 'dial'>
  /** Peer ids of the other members, as the agreed state has them. */
  members: () => string[]
}

/**
 * Connects the members of a cell with each other. Those who came in through the same one know only that one: without it
 * they would be a majority that cannot vote.
 */
export function createAcquaintance({ libp2p, members }: AcquaintanceInit): Service {
  const abort = new AbortController()
  const triedAt = new Map<string, number>()
  let timer: NodeJS.Timeout | undefined

  function look(): void {
    const now = performance.now()
    const connected = new Set(libp2p.getPeers().map(String))
    const missing = members().filter((peerId) => !connected.has(peerId))
    for (const peerId of triedAt.keys()) if (!missing.includes(peerId)) triedAt.delete(peerId)
    for (const peerId of missing) {
      if (now - (triedAt.get(peerId) ?? -Infinity) < RETRY_AFTER_MS) continue
      triedAt.set(peerId, now)
      const signal = AbortSignal.any([abort.signal, AbortSignal.timeout(DIAL_TIMEOUT_MS)])
      libp2p.dial(peerIdFromString(peerId), { signal }).catch(() => undefined)
    }
  }

  return {
    name: 'acquaintance',
    start: async () => void (timer = setInterval(look, LOOK_EVERY_MS)),
    stop: async () => {
      clearInterval(timer)
      abort.abort()
    },
  }
}
