import type { Libp2p, Logger, PeerId } from '@libp2p/interface'
import type { CID } from 'multiformats/cid'
import { concat } from 'uint8arrays/concat'
import { encode as varint } from 'uint8-varint'
import { openStream } from '../../protocols/shared/open-stream.ts'
import { BITSWAP_PROTOCOL, CANCEL_DELAY_MS, CANCEL_TIMEOUT_MS } from './constants.ts'

interface Batch {
  cids: Map<string, CID>
  sent: Promise<void>
}

/**
 * Tells peers that blocks are no longer wanted, which Helia's bitswap never does (traps 2). Without
 * it an abandoned want stays in the peer's ledger until it disconnects, fills its limit, and the
 * same want, repeated within seconds, is taken for a repetition and gets no answer.
 */
export class Cancels {
  readonly #libp2p: Libp2p
  readonly #log: Logger
  readonly #batches = new Map<string, Batch>()

  constructor(libp2p: Libp2p, log: Logger) {
    this.#libp2p = libp2p
    this.#log = log
  }

  /** Resolves when the peer was told, or cannot be. */
  async cancel(peer: PeerId, cid: CID): Promise<void> {
    const key = peer.toString()
    let batch = this.#batches.get(key)
    if (batch === undefined) {
      const cids = new Map<string, CID>()
      batch = { cids, sent: this.#sendLater(peer, cids) }
      this.#batches.set(key, batch)
    }
    batch.cids.set(cid.toString(), cid)
    await batch.sent
  }

  async cancelEverywhere(cid: CID, except?: PeerId): Promise<void> {
    const peers = this.#libp2p.getPeers().filter((peer) => !peer.equals(except))
    await Promise.all(peers.map((peer) => this.cancel(peer, cid)))
  }

  async #sendLater(peer: PeerId, cids: Map<string, CID>): Promise<void> {
    await new Promise((resolve) => setTimeout(resolve, CANCEL_DELAY_MS))
    this.#batches.delete(peer.toString())
    if (this.#libp2p.getConnections(peer).length === 0) return
    try {
      const signal = AbortSignal.timeout(CANCEL_TIMEOUT_MS)
      const stream = await openStream(this.#libp2p, peer, BITSWAP_PROTOCOL, { signal })
      stream.send(cancelMessage([...cids.values()]))
      await stream.close({ signal })
    } catch (error) {
      this.#log('could not cancel wants at %p - %e', peer, error)
    }
  }
}

/**
 * A length-prefixed bitswap 1.2.0 message (protobuf): wantlist = 1 { entries = 1 { cid = 1,
 * priority = 2, cancel = 3 } }.
 */
export function cancelMessage(cids: CID[]): Uint8Array {
  const entries = cids.map((cid) => field(1, concat([field(1, cid.bytes), Uint8Array.of(2 << 3, 1, 3 << 3, 1)])))
  return prefixed(field(1, concat(entries)))
}

function field(number: number, bytes: Uint8Array): Uint8Array {
  return concat([Uint8Array.of((number << 3) | 2), prefixed(bytes)])
}

function prefixed(bytes: Uint8Array): Uint8Array {
  return concat([varint(bytes.byteLength), bytes])
}
