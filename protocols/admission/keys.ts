import type { Ed25519PeerId, PeerId } from '@libp2p/interface'
import { publicKeyFromRaw } from '@libp2p/crypto/keys'
import { peerIdFromPublicKey, peerIdFromString } from '@libp2p/peer-id'
import { isStrictKey } from '../shared/signature.ts'
import { refuse } from './refusals.ts'

/**
 * @returns the raw ed25519 key (32 bytes) that the peer id carries
 * @throws {CodedError} E_KEY_WEAK for another key type or a key that breaks the strict rule
 */
export function strictKeyOf(peerId: PeerId): Uint8Array {
  if (!isEd25519(peerId) || !isStrictKey(peerId.publicKey.raw)) throw refuse('E_KEY_WEAK', peerId.toString())
  return peerId.publicKey.raw
}

/** The same from text: only the canonical spelling of an ed25519 peer id passes. */
export function strictKeyFrom(text: string): Uint8Array {
  const peerId = parse(text)
  if (peerId?.toString() !== text) throw refuse('E_KEY_WEAK', 'not a peer id of an ed25519 key')
  return strictKeyOf(peerId)
}

/** @param key - raw ed25519 key, 32 bytes */
export function peerIdFromKey(key: Uint8Array): string {
  return peerIdFromPublicKey(publicKeyFromRaw(key)).toString()
}

function parse(text: string): PeerId | undefined {
  try {
    return peerIdFromString(text)
  } catch {
    return undefined
  }
}

function isEd25519(peerId: PeerId): peerId is Ed25519PeerId {
  return peerId.type === 'Ed25519'
}
