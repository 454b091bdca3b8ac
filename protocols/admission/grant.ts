import type { Genesis, Member } from './types.ts'

/** What a certificate or ticket gives. */
export type Grant = Pick<Member, 'cell' | 'role' | 'rights'>

/**
 * The one rule of issuing (blueprint, "Certificates"): only full nodes issue; `issue` is for one's
 * own cell, `found` for a cell that is not in genesis; nobody gives a right it lacks; only full
 * nodes have rights, and the first node of a new cell is one.
 *
 * @returns what the grant breaks, or undefined
 */
export function brokenBy(
  genesis: Genesis,
  issuer: Grant,
  grant: Grant,
): 'E_CERT_RIGHTS' | 'E_CERT_CROSSES_CELLS' | undefined {
  if (issuer.role !== 'full') return 'E_CERT_RIGHTS'
  if (grant.cell === issuer.cell) {
    if (!issuer.rights.includes('issue')) return 'E_CERT_RIGHTS'
  } else {
    if (!issuer.rights.includes('found')) return 'E_CERT_CROSSES_CELLS'
    if (genesis.operators.some(({ cell }) => cell === grant.cell)) return 'E_CERT_CROSSES_CELLS'
    if (grant.role !== 'full') return 'E_CERT_RIGHTS'
  }
  if (grant.role !== 'full' && grant.rights.length > 0) return 'E_CERT_RIGHTS'
  return grant.rights.every((right) => issuer.rights.includes(right)) ? undefined : 'E_CERT_RIGHTS'
}
