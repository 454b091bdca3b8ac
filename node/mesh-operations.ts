import { publicKeyFromRaw } from '@libp2p/crypto/keys'
import { peerIdFromPublicKey } from '@libp2p/peer-id'
import { strictKeyFrom } from '../protocols/admission/index.ts'
import { CodedError } from '../protocols/shared/errors.ts'
import type { MeshService } from './mesh/types.ts'
import type { Change, ChangeDocument, MotionDocument, MotionRow, RecordOperations } from './operations-mesh.ts'
import type { Parts } from './parts.ts'

type MeshParts = Pick<Parts, 'mesh' | 'membership'>

/** A node this far behind, in epochs, does not know what the mesh agrees on now. */
const LARGEST_LAG = 20

/** The mesh's record as the node's faces see it: text for keys. */
export function createMeshOperations(parts: MeshParts): RecordOperations {
  const { mesh } = parts
  return {
    summary: () => mesh.summary(),
    epochs: (options) => mesh.epochs(options),
    epoch: (height) => mesh.epoch(height),
    exportEpoch: (height, from) => mesh.exportEpoch(height, from),
    validators: () => mesh.validators(),
    motions: async () => (await mesh.motions()).map(documentOf),
    move: async (change, options) => documentOf(await mesh.move(changeOf(change, parts), options)),
    vote: async (motion, yes) => documentOf(await mesh.vote(await find(mesh, motion), yes)),
  }
}

/** Why the record does not grow here; empty where it does. */
export function recordReasons({ mesh }: Pick<Parts, 'mesh'>): string[] {
  const { problem, behind } = mesh.summary()
  if (problem !== null) return [`the mesh's record: ${problem.message} (${problem.code})`]
  return behind > LARGEST_LAG ? [`the mesh's record here is ${behind} epochs behind`] : []
}

function documentOf({ change, ...motion }: MotionRow): MotionDocument {
  if (change.type !== 'operator-set') return { ...motion, change }
  return { ...motion, change: { ...change, members: change.members.map(peerIdOf) } }
}

function changeOf(change: ChangeDocument, parts: MeshParts): Change {
  if (change.type !== 'operator-set') return change
  return { ...change, members: change.members.map((member) => keyOf(member, parts)).sort(Buffer.compare) }
}

function peerIdOf(key: Uint8Array): string {
  return peerIdFromPublicKey(publicKeyFromRaw(key)).toString()
}

/** @param text - a peer id, which need not be known here, or the name of a node that is */
function keyOf(text: string, { membership }: MeshParts): Uint8Array {
  const named = membership.members().filter(({ name }) => name === text)
  if (named.length > 1)
    throw new CodedError('E_INVALID_INPUT', `${named.length} nodes are named ${text}`, {
      hint: `give a peer id: ${named.map(({ peerId }) => peerId).join(' or ')}`,
    })
  try {
    return strictKeyFrom(named[0]?.peerId ?? text)
  } catch (cause) {
    throw new CodedError('E_PEER_ID_INVALID', `${text} is no peer id, and no name that is known here`, {
      hint: 'kairos peers lists the nodes that are known; one that is not says its own with kairos id',
      cause,
    })
  }
}

/** @returns the whole id */
async function find(mesh: MeshService, text: string): Promise<string> {
  const ids = (await mesh.motions()).map(({ id }) => id).filter((id) => id.startsWith(text))
  const [id] = ids
  if (ids.length > 1)
    throw new CodedError('E_INVALID_INPUT', `${ids.length} motions begin with ${text}`, { hint: 'give more of the id' })
  if (id === undefined)
    throw new CodedError('E_MOTION_UNKNOWN', `no motion that is open begins with ${text}`, {
      hint: '`kairos validators motions` lists them; one that was carried or has lapsed takes no votes',
    })
  return id
}
