import type { Helia } from 'helia'
import type { PeerId } from '@libp2p/interface'
import type { CID } from 'multiformats/cid'
import { collect } from './blocks/index.ts'
import type { Cancels } from './cancels.ts'
import { REASK_MS } from './constants.ts'

/**
 * Gets a block over bitswap from whoever has it: asks every connected peer, and the holders that the DHT names, until one
 * sends it. Ends by its signal, and then takes back the wants (traps 2).
 *
 * @returns the block, which is then stored, and who sent it
 */
export async function searchBlock(
  cid: CID,
  { helia, cancels, signal }: { helia: Helia; cancels: Cancels; signal: AbortSignal },
): Promise<{ bytes: Uint8Array; sender: PeerId | undefined }> {
  for (let roundMs = REASK_MS; ; roundMs *= 2) {
    signal.throwIfAborted()
    let sender: PeerId | undefined
    const onProgress = (event: { type: string; detail?: unknown }): void => {
      if (event.type === 'bitswap:block') sender = (event.detail as { sender: PeerId }).sender
    }
    const round = AbortSignal.timeout(roundMs)
    try {
      const options = { signal: AbortSignal.any([signal, round]), onProgress }
      const bytes = await collect(helia.blockstore.get(cid, options))
      void cancels.cancelEverywhere(cid, sender)
      return { bytes, sender }
    } catch (error) {
      // A message may be lost, or taken for a repetition: once taken back, the want is new again.
      await cancels.cancelEverywhere(cid)
      signal.throwIfAborted()
      if (!round.aborted) throw error
    }
  }
}
