import type { PeerId } from '@libp2p/interface'
import type { Role } from '../../protocols/admission/index.ts'
import type { Membership } from './membership.ts'

/** Whether a peer is admitted to this node's cell in one of these roles. */
export function isOfCell(
  membership: Pick<Membership, 'self' | 'member'>,
  peer: PeerId,
  roles: readonly Role[],
): boolean {
  const found = membership.member(peer.toString())
  return found?.cell === membership.self.cell && roles.includes(found.role)
}
