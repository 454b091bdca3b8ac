import { withBitswap } from '@helia/bitswap'
import type { Helia, HeliaInit } from 'helia'
import type { ComponentLogger, Libp2p } from '@libp2p/interface'
import type { Blockstore } from 'interface-blockstore'
import type { Datastore } from 'interface-datastore'
import type { CID } from 'multiformats/cid'
import { libp2pForBitswap } from './bitswap-libp2p.ts'
import { MAX_MESSAGE_BYTES, MAX_WANTS_PER_PEER } from './constants.ts'

type HeliaOnLibp2p = Parameters<typeof withBitswap>[0]
/** Two that the options do not name: `maxWantlistSize` is inert, the code reads this one (traps 4). */
type BitswapOptions = NonNullable<Parameters<typeof withBitswap>[1]> & { maxWantListSize: number }

const BITSWAP: BitswapOptions = {
  maxInboundStreams: 32,
  maxOutboundStreams: 64,
  maxIncomingMessageSize: MAX_MESSAGE_BYTES,
  maxOutgoingMessageSize: MAX_MESSAGE_BYTES,
  maxWantListSize: MAX_WANTS_PER_PEER,
  // One message of two blocks in this time: 0.9 Mbit/s, a poor uplink.
  messageReceiveTimeout: 20_000,
  messageSendTimeout: 20_000,
  messageSendConcurrency: 16,
  sendBlocksMaxQueueLength: 10,
  // Every message walks all wants that are not yet forgotten.
  doNotResendBlockWindow: 1_000,
  // A light node that nobody can dial is reached through a relay, content included (traps 19).
  runOnLimitedConnections: true,
}

export interface BlockExchangeInit {
  libp2p: Libp2p
  blockstore: Blockstore
  datastore: Datastore
  router: NonNullable<HeliaInit['routers']>[number]
  log: ComponentLogger
}

export interface BlockExchange {
  helia: Helia
  /** Tells bitswap that a block can now be sent to the peers that wait for it. */
  announce(cid: CID): void
}

/**
 * Helia with bitswap on our running libp2p.
 *
 * Only the class is loaded, from beside the package's entry: the entry imports HTTP gateways,
 * delegated routing and WebRTC with it (60 MB of memory, and packages that are not installed),
 * and `@helia/libp2p` takes a configuration of its own, not a running node (traps 14).
 */
export async function createBlockExchange(init: BlockExchangeInit): Promise<BlockExchange> {
  const file = new URL('./helia.js', import.meta.resolve('helia'))
  const { Helia } = (await import(file.href)) as { Helia: new (init: object) => Helia }
  const bare = new Helia({
    name: 'kairos',
    version: '1',
    blockstore: init.blockstore,
    datastore: init.datastore,
    routers: [init.router],
    logger: init.log,
  })
  const helia = withBitswap(
    Object.assign(bare, { libp2p: libp2pForBitswap(init.libp2p) }) as unknown as HeliaOnLibp2p,
    BITSWAP,
  )
  const { blockBrokers } = helia as unknown as { blockBrokers: { announce?: (cid: CID) => Promise<void> }[] }
  const log = init.log.forComponent('kairos:content')
  return {
    helia,
    announce(cid) {
      for (const broker of blockBrokers) {
        broker.announce?.(cid).catch((error: unknown) => log.error('could not announce %c - %e', cid, error))
      }
    },
  }
}
