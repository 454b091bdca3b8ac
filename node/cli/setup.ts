import type { Ed25519PrivateKey } from '@libp2p/interface'
import { access } from 'node:fs/promises'
import { hostname } from 'node:os'
import { dirname } from 'node:path'
import { CodedError } from '../../protocols/shared/errors.ts'
import { ConfigDocument } from '../config/document.ts'
import { loadConfig } from '../config/load.ts'
import { applyConfiguredPaths, resolvePaths, type Paths } from '../config/paths.ts'
import type { Config } from '../config/schema.ts'
import { isMeshOfOne, readMembership, type MembershipFiles } from '../network/membership-files.ts'
import { hasRedemptions } from '../network/ticket-ledger.ts'
import { ensureDirectory } from '../storage/files.ts'
import { createNodeKey, loadNodeKey } from '../storage/key-file.ts'
import { acquireLock } from '../storage/lock.ts'
import type { Io } from './io.ts'

const HEADER = '# Configuration of a kairos node; `kairos config show` prints every key with its value.\n'

/** The directory of a node that does not run, while its files are changed. */
export interface Workplace {
  paths: Paths
  env: NodeJS.ProcessEnv
}

/** Text by dotted key; undefined ones are left as they are. */
type Changes = Record<string, string | undefined>

/**
 * Holds the lock of the node's directory, made where it is missing, while `work` changes what is in it.
 *
 * @throws {CodedError} E_LOCKED when the node runs
 */
export async function atWorkplace<T>({ flags, env }: Io, work: (place: Workplace) => Promise<T>): Promise<T> {
  const paths = resolvePaths({ path: flags.path, env })
  await ensureDirectory(paths.root)
  await ensureDirectory(dirname(paths.config))
  const lock = await acquireLock(paths.lock)
  try {
    return await work({ paths, env })
  } finally {
    await lock.release()
  }
}

/** @returns the node's key, made where there is none; its peer id is the multihash of its public key */
export async function ensureKey({ paths }: Workplace): Promise<{ key: Ed25519PrivateKey; peerId: string }> {
  const key = await ((await exists(paths.key)) ? loadNodeKey(paths.key) : createNodeKey(paths.key))
  return { key, peerId: key.publicKey.toString() }
}

/**
 * What the configuration will be. Nothing is written yet, so that a refused flag leaves nothing behind.
 *
 * @returns the changes with a name for a node that has none: its machine's
 * @throws {CodedError} E_CONFIG_INVALID
 */
export async function planConfig(
  { paths, env }: Workplace,
  wanted: Changes,
): Promise<{ config: Config; changes: Changes }> {
  const { sources } = await loadConfig({ path: paths.config, env })
  const name = wanted['name'] ?? (sources['name'] === 'default' ? defaultName() : undefined)
  const changes = { ...wanted, name }
  const { config } = await loadConfig({ path: paths.config, env, flags: changes })
  return { config, changes }
}

/** Writes values into the configuration file, which is made when it is missing. */
export async function writeConfig({ paths }: Workplace, changes: Changes): Promise<void> {
  const document = (await exists(paths.config))
    ? await ConfigDocument.read(paths.config)
    : ConfigDocument.parse(HEADER, paths.config)
  for (const [key, value] of Object.entries(changes)) if (value !== undefined) document.set(key, value)
  await document.write()
}

/** @throws {CodedError} E_ALREADY_MEMBER when the node would leave a mesh with others in it for one that is not the same */
export async function requireFree(place: Workplace, isSame: (files: MembershipFiles) => boolean): Promise<void> {
  const files = await readMembership(place.paths)
  if (files === undefined || isSame(files)) return
  if (!isMeshOfOne(files)) throw alreadyMember(files)
  if (await hasGuests(place)) throw alreadyMember(files, ', which others have joined with its tickets')
}

/** @throws {CodedError} E_ALREADY_MEMBER when the node belongs to any mesh */
export async function requireNone({ paths }: Workplace): Promise<void> {
  const files = await readMembership(paths)
  if (files !== undefined) throw alreadyMember(files)
}

function alreadyMember({ genesis }: MembershipFiles, more = ''): CodedError {
  return new CodedError('E_ALREADY_MEMBER', `this node belongs to the mesh ${genesis.name}${more}`, {
    hint: 'use another directory with --path: one node belongs to one mesh',
  })
}

async function hasGuests({ paths, env }: Workplace): Promise<boolean> {
  const { data } = applyConfiguredPaths(paths, (await loadConfig({ path: paths.config, env })).config)
  if (!(await exists(data))) return false
  const { openDatabase } = await import('../storage/database.ts')
  const database = await openDatabase(data, { onFatal: () => undefined, configKey: 'storage.path' })
  try {
    return await hasRedemptions(database.sublevel('admission'))
  } finally {
    await database.close()
  }
}

/** A node is called as its machine unless told. */
function defaultName(): string {
  return hostname().split('.')[0]?.slice(0, 64) || 'kairos'
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  )
}
