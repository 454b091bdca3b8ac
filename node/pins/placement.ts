import { allocate, defaultReplication, replicationOf, seats, type Tree } from '../../consensus/state/index.ts'
import type { PinOptions } from '../operations-pins.ts'
import type { PinMesh } from './ports.ts'

/** Who would be given a copy of something new now, as the cell would decide; this node first, since it has the bytes. */
export function placementOf(tree: Tree, options: PinOptions, mesh: Pick<PinMesh, 'self' | 'peerIdOf'>): string[] {
  const able = seats(tree).filter(({ draining }) => !draining)
  const asked = { min: options.replicationMin, max: options.replicationMax }
  const wanted = options.allocations?.map((member) => mesh.peerIdOf(member)) ?? [mesh.self]
  const seatOf = (peerId: string): number[] => able.filter((one) => one.peerId === peerId).map(({ seat }) => seat)
  const preferred = wanted.flatMap(seatOf)
  const chosen =
    allocate(able, { ...replicationOf(asked, defaultReplication(able)), cid: '', preferred, kept: [] }) ?? []
  return able.filter(({ seat }) => chosen.includes(seat)).map(({ peerId }) => peerId)
}
