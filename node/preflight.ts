import type { Member } from '../protocols/admission/index.ts'
import { CodedError } from '../protocols/shared/errors.ts'
import type { Paths } from './config/paths.ts'
import type { Config } from './config/schema.ts'
import { ensureDirectory } from './storage/files.ts'

/**
 * The configuration cannot give what the mesh has not: every peer would hang up on such a claim.
 *
 * @throws {CodedError} E_CONFIG_INVALID
 */
export function checkPlace({ node }: Config, self: Member): void {
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

/** Refuses before anything runs what would fail at the first write, naming the key to change. */
export async function prepareDirectories(paths: Paths): Promise<void> {
  await ensureDirectory(paths.root)
  await ensureDirectory(paths.blocks, 'content.path')
  await ensureDirectory(paths.memory, 'memory.storage.path')
}
