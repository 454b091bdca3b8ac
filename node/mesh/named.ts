import { publicKeyFromRaw } from '@libp2p/crypto/keys'
import type { PeerId } from '@libp2p/interface'
import { peerIdFromPublicKey } from '@libp2p/peer-id'

/** A node as people know it: `name` is its peer id where this node has not met it. */
export interface Named {
  peerId: string
  name: string
}

/** Keys of a record are few and come again and again. */
const MAX_KNOWN = 4096
const known = new Map<string, PeerId>()

/** @param key - raw ed25519 key, 32 bytes */
export function peerOf(key: Uint8Array): PeerId {
  const text = Buffer.from(key).toString('latin1')
  const found = known.get(text)
  if (found !== undefined) return found
  if (known.size >= MAX_KNOWN) known.clear()
  const peer = peerIdFromPublicKey(publicKeyFromRaw(key))
  known.set(text, peer)
  return peer
}

export function peerIdOf(key: Uint8Array): string {
  return peerOf(key).toString()
}
