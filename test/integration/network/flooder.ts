import { randomBytes } from 'node:crypto'
import { RPC } from '@libp2p/gossipsub/message'
import { publicKeyToProtobuf } from '@libp2p/crypto/keys'
import type { Stream } from '@libp2p/interface'
import { peerIdFromString } from '@libp2p/peer-id'
import * as varint from 'uint8-varint'
import { setImmediate } from 'node:timers/promises'

const MESSAGES_PER_TURN = 64

/** @returns a maker of well-formed gossip with a signature that is none, never twice the same */
export function invalidRpc(topic: string, from: string): () => Uint8Array {
  const author = peerIdFromString(from)
  if (author.publicKey === undefined) throw new Error('an ed25519 id carries its key')
  const key = publicKeyToProtobuf(author.publicKey)
  let count = 0n
  return () => {
    const seqno = Buffer.alloc(8)
    seqno.writeBigUInt64BE(++count)
    const message = {
      from: author.toMultihash().bytes,
      data: randomBytes(64),
      seqno,
      topic,
      signature: randomBytes(64),
      key,
    }
    const rpc = RPC.encode({ subscriptions: [], messages: [message] })
    return Buffer.concat([varint.encode(rpc.byteLength), rpc])
  }
}

/** Sends as fast as the line takes it, until the other side ends it. @returns how many were sent */
export async function spam(stream: Stream, make: () => Uint8Array): Promise<number> {
  let sent = 0
  while (stream.status === 'open' && stream.writeStatus === 'writable') {
    for (let i = 0; i < MESSAGES_PER_TURN && stream.status === 'open'; i++) {
      stream.send(make())
      sent += 1
    }
    while (stream.writableNeedsDrain && stream.status === 'open') await setImmediate()
    await setImmediate()
  }
  return sent
}
