import type { Configuration } from '../cell/engine.ts'
import { readRecord as read } from './read-record.ts'
import {
  attestedRecord,
  certificateRecord,
  configurationRecord,
  KEY,
  memberRecord,
  revocationRecord,
  textRecord,
  type AttestedRecord,
  type CertificateRecord,
  type MemberRecord,
  type RevocationRecord,
} from './records.ts'
import { entries, type Tree } from './tree.ts'

/** A member of the cell, or one that was: `status` tells. */
export type CellMember = MemberRecord & { readonly peerId: string }

/** Readers of what a state holds. Those that give many give them in the order of their keys, as they are asked for. */
export function members(tree: Tree): Generator<CellMember> {
  return listed(tree, 'member/', (peerId, value) => ({ peerId, ...memberRecord.decode(value) }))
}

export function memberOf(tree: Tree, peerId: string): CellMember | undefined {
  const member = read(tree, KEY.member(peerId), memberRecord)
  return member && { peerId, ...member }
}

/** @returns the member that holds the id; `undefined` for one that was given up */
export function memberByRaftId(tree: Tree, id: number): CellMember | undefined {
  const peerId = read(tree, KEY.raft(id), textRecord)
  return peerId === undefined ? undefined : memberOf(tree, peerId)
}

/** In force at the applied index. */
export function configurationOf(tree: Tree): Configuration {
  return read(tree, KEY.configuration, configurationRecord) ?? NOBODY
}

const NOBODY: Configuration = { voters: [], learners: [], votersOutgoing: [], learnersNext: [] }

export function certificateOf(tree: Tree, subject: string): CertificateRecord | undefined {
  return read(tree, KEY.certificate(subject), certificateRecord)
}

export function revocationOf(tree: Tree, peerId: string): RevocationRecord | undefined {
  return read(tree, KEY.revocation(peerId), revocationRecord)
}

export function revocations(tree: Tree): Generator<RevocationRecord & { readonly peerId: string }> {
  return listed(tree, 'revoked/', (peerId, value) => ({ peerId, ...revocationRecord.decode(value) }))
}

export function attestedOf(tree: Tree): AttestedRecord | undefined {
  return read(tree, KEY.attested, attestedRecord)
}

export function labelsOf(tree: Tree, peerId: string): Generator<{ key: string; value: string }> {
  return listed(tree, `label/${peerId}/`, (key, value) => ({ key, value: textRecord.decode(value) }))
}

function* listed<T>(tree: Tree, prefix: string, make: (rest: string, value: Uint8Array) => T): Generator<T> {
  for (const [key, value] of entries(tree, { prefix })) yield make(key.slice(prefix.length), value)
}
