import type { Change, Configuration } from '../cell/engine.ts'
import type { Codec } from '../../protocols/shared/codec.ts'
import {
  certificateRecord,
  configurationRecord,
  counterRecord,
  KEY,
  memberRecord,
  revocationRecord,
  textRecord,
  type CertificateRecord,
  type MemberRecord,
  type RevocationRecord,
} from './records.ts'
import { entries, get, type Tree } from './tree.ts'

/** A member of the cell, or one that was: `status` tells. */
export type CellMember = MemberRecord & { readonly peerId: string }

/**
 * Readers of what a state holds. Those that give many give them in the order of their keys, as they are asked for;
 * `after` is the last one of the page before.
 */
export function members(tree: Tree, after?: string): Generator<CellMember> {
  return listed(tree, 'member/', after, (peerId, value) => ({ peerId, ...memberRecord.decode(value) }))
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

/** @returns the id that the next member gets; greater than all that were ever given */
export function nextRaftId(tree: Tree): number {
  return read(tree, KEY.nextRaftId, counterRecord) ?? 1
}

/** In force at the applied index. */
export function configurationOf(tree: Tree): Configuration {
  return read(tree, KEY.configuration, configurationRecord) ?? NOBODY
}

const NOBODY: Configuration = { voters: [], learners: [], votersOutgoing: [], learnersNext: [] }

/**
 * What the leader has to propose, so that the configuration becomes what the members are: ids that nobody holds go,
 * those that join learn, those that are promoted vote.
 *
 * @returns nothing when all is well, while a joint change runs, or before the founder has joined
 */
export function configurationChanges(tree: Tree): Change[] {
  const { voters, learners, votersOutgoing, learnersNext } = configurationOf(tree)
  const held = new Map([...entries(tree, { prefix: 'raft/' })].map(([, value]) => heldBy(tree, value)))
  if (held.size === 0 || votersOutgoing.length > 0 || learnersNext.length > 0) return []
  const gone = [...voters, ...learners].filter((id) => !held.has(id))
  const wanted = [...held].flatMap(([id, status]): Change[] => {
    if (voters.includes(id)) return []
    if (status === 'voter') return [{ kind: 'voter', id }]
    return learners.includes(id) ? [] : [{ kind: 'learner', id }]
  })
  return [...wanted, ...gone.map((id): Change => ({ kind: 'remove', id }))]
}

function heldBy(tree: Tree, value: Uint8Array): [id: number, status: string] {
  const { id, status } = memberOf(tree, textRecord.decode(value))!
  return [id, status]
}

export function certificates(tree: Tree, after?: string): Generator<CertificateRecord & { subject: string }> {
  return listed(tree, 'cert/', after, (subject, value) => ({ subject, ...certificateRecord.decode(value) }))
}

export function certificateOf(tree: Tree, subject: string): CertificateRecord | undefined {
  return read(tree, KEY.certificate(subject), certificateRecord)
}

export function revocations(tree: Tree, after?: string): Generator<RevocationRecord & { peerId: string }> {
  return listed(tree, 'revoked/', after, (peerId, value) => ({ peerId, ...revocationRecord.decode(value) }))
}

export function revocationOf(tree: Tree, peerId: string): RevocationRecord | undefined {
  return read(tree, KEY.revocation(peerId), revocationRecord)
}

/** @returns peer id of whoever has the name */
export function peerNamed(tree: Tree, name: string): string | undefined {
  return read(tree, KEY.name(name), textRecord)
}

/** In the order of the peer ids. */
export function names(tree: Tree, after?: string): Generator<{ peerId: string; name: string }> {
  return listed(tree, 'named/', after, (peerId, value) => ({ peerId, name: textRecord.decode(value) }))
}

export function labelsOf(tree: Tree, peerId: string, after?: string): Generator<{ key: string; value: string }> {
  return listed(tree, `label/${peerId}/`, after, (key, value) => ({ key, value: textRecord.decode(value) }))
}

function* listed<T>(
  tree: Tree,
  prefix: string,
  after: string | undefined,
  make: (rest: string, value: Uint8Array) => T,
): Generator<T> {
  const from = after === undefined ? prefix : `${prefix}${after}\0`
  for (const [key, value] of entries(tree, { prefix, from })) yield make(key.slice(prefix.length), value)
}

function read<T>(tree: Tree, key: string, codec: Codec<T>): T | undefined {
  const bytes = get(tree, key)
  return bytes && codec.decode(bytes)
}
