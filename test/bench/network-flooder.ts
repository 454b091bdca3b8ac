import { privateKeyFromProtobuf } from '@libp2p/crypto/keys'
import { setTimeout } from 'node:timers/promises'
import { multiaddr } from '@multiformats/multiaddr'
import type { Genesis } from '../../protocols/admission/index.ts'
import { invalidRpc, spam } from '../integration/network/flooder.ts'
import { openTopic, startNode } from '../integration/network/mesh.ts'

/** What the parent tells this process to do. */
export interface FlooderOrder {
  genesis: Genesis
  privateKey: string
  target: string
  topic: string
}

process.on('message', ({ genesis, privateKey, target, topic }: FlooderOrder) => {
  void flood({ genesis, privateKey, target, topic })
})

/** Floods until it is cut, comes back, and floods again, until the parent ends it. */
async function flood({ genesis, privateKey, target, topic }: FlooderOrder): Promise<never> {
  const key = privateKeyFromProtobuf(Buffer.from(privateKey, 'base64'))
  if (key.type !== 'Ed25519') throw new Error('members have ed25519 keys')
  const node = await startNode({ key, genesis, topics: [openTopic(topic)] })
  const make = invalidRpc(topic, node.libp2p.peerId.toString())
  for (let first = true; ; first = false) {
    try {
      const stream = await node.libp2p.dialProtocol(multiaddr(target), '/meshsub/1.2.0')
      if (first) process.send?.('flooding')
      await spam(stream, make)
    } catch {
      // Refused, as it should be: knock again.
      await setTimeout(10)
    }
  }
}
