import type { Ed25519PrivateKey } from '@libp2p/interface'
import { access } from 'node:fs/promises'
import { hostname } from 'node:os'
import { dirname } from 'node:path'
import { CodedError } from '../../protocols/shared/errors.ts'
import { ConfigDocument } from '../config/document.ts'
import { loadConfig } from '../config/load.ts'
import { resolvePaths, type Paths } from '../config/paths.ts'
import type { Config } from '../config/schema.ts'
import { isMeshOfOne, readMembership, type MembershipFiles } from '../network/membership-files.ts'
import { ensureDirectory } from '../storage/files.ts'
import { createNodeKey, loadNodeKey } from '../storage/key-file.ts'
import { acquireLock } from '../storage/lock.ts'
import type { Io } from './io.ts'

const HEADER = '# Configuration of a kairos node; `kairos config show` prints every key with its value.\n'

/** The directory of a node that does not run, while its files are changed. */
export interface Workplace {
  paths: Paths
  key: Ed25519PrivateKey
  peerId: string
  /** Whether the key is new, and with it the node. */
  isNew: boolean
}

/**
 * Holds the lock of the node's directory while `work` changes what is in it; makes directory and
 * key where they are missing.
 *
 * @throws {CodedError} E_LOCKED when the node runs
 */
export async function atWorkplace<T>(io: Io, work: (place: Workplace) => Promise<T>): Promise<T> {
  const paths = resolvePaths({ path: io.flags.path, env: io.env })
  await ensureDirectory(paths.root)
  await ensureDirectory(dirname(paths.config))
  const lock = await acquireLock(paths.lock)
  try {
    const isNew = !(await exists(paths.key))
    const key = await (isNew ? createNodeKey(paths.key) : loadNodeKey(paths.key))
    return await work({ paths, key, peerId: keyPeerId(key), isNew })
  } finally {
    await lock.release()
  }
}

/** The peer id of an ed25519 key is the multihash of its public key. */
function keyPeerId(key: Ed25519PrivateKey): string {
  return key.publicKey.toString()
}

/**
 * Writes values into the configuration file, which is made when it is missing.
 *
 * @param changes - text by dotted key; undefined ones are left as they are
 */
export async function changeConfig(paths: Paths, changes: Record<string, string | undefined>): Promise<Config> {
  const document = (await exists(paths.config))
    ? await ConfigDocument.read(paths.config)
    : ConfigDocument.parse(HEADER, paths.config)
  for (const [key, value] of Object.entries(changes)) if (value !== undefined) document.set(key, value)
  await document.write()
  return (await loadConfig({ path: paths.config })).config
}

/** @throws {CodedError} E_ALREADY_MEMBER when entering `meshId` would leave a mesh of several */
export async function requireFree(paths: Paths, isSame: (files: MembershipFiles) => boolean): Promise<void> {
  const files = await readMembership(paths)
  if (files === undefined || isMeshOfOne(files) || isSame(files)) return
  throw new CodedError('E_ALREADY_MEMBER', `this node belongs to the mesh ${files.genesis.name}`, {
    hint: 'use another directory with --path: one node belongs to one mesh',
  })
}

/** A node is called as its machine unless told. */
export function defaultName(): string {
  return hostname().split('.')[0]?.slice(0, 64) || 'kairos'
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  )
}
