import type { Ed25519PrivateKey } from '@libp2p/interface'
import type { Member } from '../protocols/admission/index.ts'
import { CodedError } from '../protocols/shared/errors.ts'
import type { Paths } from './config/paths.ts'
import type { Config } from './config/schema.ts'
import type { CellRecord } from './network/cell-record.ts'
import { requireMembership } from './network/membership-files.ts'
import { MeshRevocations } from './network/membership-revocations.ts'
import { createMembership, type Membership } from './network/membership.ts'
import { ROLES } from './roles.ts'
import { loadNodeKey } from './storage/key-file.ts'
import type { Sublevel } from './storage/sublevel.ts'

export interface IdentityInit {
  paths: Paths
  config: Config
  store: Sublevel
  /** Asked in roles that take part in a cell. */
  cell: Promise<CellRecord>
  fatal: (error: unknown) => void
}

/**
 * The key of this node and its place in the mesh.
 *
 * @throws {CodedError} E_CONFIG_INVALID for another place than that; whatever key and membership files fail with
 */
export async function openIdentity({ paths, config, store, cell, fatal }: IdentityInit): Promise<{
  privateKey: Ed25519PrivateKey
  membership: Membership
}> {
  const privateKey = await loadNodeKey(paths.key)
  const membership = createMembership({
    privateKey,
    ...(await requireMembership(paths)),
    name: config.name,
    store,
    fatal,
    revocations: await MeshRevocations.open(store),
    ...(ROLES[config.node.role].cellConsensus === 'voter' ? { cell } : {}),
  })
  checkPlace(config, membership.self)
  return { privateKey, membership }
}

/** The configuration cannot give what the mesh has not: every peer would hang up on such a claim. */
function checkPlace({ node }: Config, self: Member): void {
  for (const key of ['role', 'cell'] as const) {
    if (node[key] === self[key]) continue
    throw new CodedError(
      'E_CONFIG_INVALID',
      `node.${key} is ${node[key]}, but this node was admitted as ${self[key]}`,
      {
        hint: `kairos config set node.${key} ${self[key]}; another ${key} needs another ticket`,
      },
    )
  }
}
