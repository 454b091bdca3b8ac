import type { Helia } from 'helia'
import type { Libp2p, PeerId } from '@libp2p/interface'
import type { CID } from 'multiformats/cid'
import { CodedError } from '../../protocols/shared/errors.ts'
import { collect } from './blocks/index.ts'
import type { Cancels } from './cancels.ts'
import { ASK_CHECK_MS, REASK_MS } from './constants.ts'
import type { Holder } from './holders.ts'

export interface WantsInit {
  helia: Helia
  libp2p: Libp2p
  cancels: Cancels
}

/** The two ways to get a block over bitswap. Each ends by its signal, and then takes back its want. */
export class Wants {
  readonly #init: WantsInit

  constructor(init: WantsInit) {
    this.#init = init
  }

  isConnected(peer: PeerId): boolean {
    return this.#init.libp2p.getConnections(peer).length > 0
  }

  /**
   * Asks one peer, by a session of it alone.
   *
   * @returns the block, or nothing when the peer has it not, is gone or stays silent
   */
  async ask(cid: CID, holder: Holder, signal: AbortSignal): Promise<Uint8Array | undefined> {
    holder.asked()
    try {
      while (this.isConnected(holder.peer) && !holder.isGivenUp()) {
        const answer = await this.#askOnce(cid, holder, signal)
        if (answer !== 'silent') return answer === 'refused' ? undefined : answer
      }
      return undefined
    } finally {
      holder.done()
    }
  }

  /** Asks every connected peer, and the holders that the DHT names, until one sends the block. */
  async broadcast(cid: CID, signal: AbortSignal): Promise<{ bytes: Uint8Array; sender: PeerId | undefined }> {
    for (let roundMs = REASK_MS; ; roundMs *= 2) {
      signal.throwIfAborted()
      let sender: PeerId | undefined
      const onProgress = (event: { type: string; detail?: unknown }): void => {
        if (event.type === 'bitswap:block') sender = (event.detail as { sender: PeerId }).sender
      }
      const round = AbortSignal.timeout(roundMs)
      try {
        const options = { signal: AbortSignal.any([signal, round]), onProgress }
        const bytes = await collect(this.#init.helia.blockstore.get(cid, options))
        void this.#init.cancels.cancelEverywhere(cid, sender)
        return { bytes, sender }
      } catch (error) {
        // A message may be lost, or taken for a repetition: once taken back, the want is new again.
        await this.#init.cancels.cancelEverywhere(cid)
        signal.throwIfAborted()
        if (!round.aborted) throw error
      }
    }
  }

  async #askOnce(cid: CID, holder: Holder, signal: AbortSignal): Promise<Uint8Array | 'refused' | 'silent'> {
    const again = new AbortController()
    const check = setInterval(() => {
      if (holder.silentMs() >= REASK_MS || !this.isConnected(holder.peer)) again.abort()
    }, ASK_CHECK_MS)
    try {
      const limit = { providers: [holder.peer.toCID()], minProviders: 1, maxProviders: 1 }
      // `useNetwork` reaches our router: a "do not have" must not start a search.
      const options = { signal: AbortSignal.any([signal, again.signal]), useNetwork: false }
      const bytes = await collect(this.#init.helia.blockstore.createSession(cid, limit).get(cid, options))
      holder.heard()
      return bytes
    } catch (error) {
      if (error instanceof CodedError) throw error
      await this.#init.cancels.cancel(holder.peer, cid)
      signal.throwIfAborted()
      return again.signal.aborted ? 'silent' : 'refused'
    } finally {
      clearInterval(check)
    }
  }
}
