import { constants, existsSync } from 'node:fs'
import { access, mkdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { ConfigDocument } from '../../node/config/document.ts'
import { resolvePaths } from '../../node/config/paths.ts'
import { lockHolder } from '../../node/storage/lock.ts'
import { storageError } from '../../node/storage/storage-error.ts'
import { CodedError } from '../../protocols/shared/errors.ts'
import { NODES, OMEGA, OPERATOR_WEIGHT, plannedConfig, type PlannedNode } from './plan.ts'
import { kairos } from './cli.ts'

export interface PlacedNode extends PlannedNode {
  /** The node's own directory: key, configuration, store. */
  path: string
  /** p2p and API port. */
  ports: [p2p: number, api: number]
}

export interface PrepareOptions {
  root: string
  recording: string
  daysPerSecond: number
  signal: AbortSignal
}

const genesisFile = (root: string): string => join(root, 'genesis.json')
const entryFile = (root: string, node: PlannedNode): string => join(root, `${node.name}.founder.json`)

/** Whether a node belongs to a mesh already. */
export function isMember(node: PlacedNode): boolean {
  return existsSync(resolvePaths({ path: node.path }).genesis)
}

/** @throws {CodedError} E_STORAGE_UNWRITABLE, E_DISK_FULL; E_LOCKED while another launcher's nodes run there */
export async function makeRoot(root: string, nodes: PlacedNode[]): Promise<void> {
  try {
    await mkdir(root, { recursive: true, mode: 0o700 })
    await access(root, constants.R_OK | constants.W_OK | constants.X_OK)
  } catch (error) {
    throw storageError(error, root)
  }
  for (const node of nodes) {
    const pid = await lockHolder(resolvePaths({ path: node.path }).lock)
    if (pid === undefined) continue
    throw new CodedError('E_LOCKED', `a local mesh is running in ${root} (${node.name} has pid ${pid})`, {
      hint: 'stop it with Ctrl-C, or choose another directory with --path',
    })
  }
}

/** Removes what an earlier mesh left, and nothing else that may lie in the same directory. */
export async function removeOld(root: string, nodes: PlacedNode[]): Promise<void> {
  const left = nodes.flatMap((node) => [node.path, entryFile(root, node)])
  await Promise.all([...left, genesisFile(root)].map((path) => rm(path, { recursive: true, force: true })))
}

/**
 * Makes the founders and their genesis as four operators would: each its own entry, one genesis of
 * all entries, adopted by each. A node that already belongs to a mesh is left as it is.
 */
export async function prepareFounders(nodes: PlacedNode[], options: PrepareOptions): Promise<void> {
  const founders = nodes.filter((node) => node.founder)
  if (!founders.every(isMember)) {
    await removeOld(options.root, nodes)
    const entries = await all(founders.map((node) => writeEntry(node, options)))
    const genesis = genesisFile(options.root)
    const shape = ['--name', 'local', '--weight', String(OPERATOR_WEIGHT), '--omega', String(OMEGA)]
    const create = ['genesis', 'create', ...shape, ...entries]
    await writeFile(genesis, await kairos(founders[0]!.path, create, options.signal))
    await all(founders.map((node) => kairos(node.path, ['init', '--genesis', genesis], options.signal)))
  }
  await all(founders.map((node) => configure(node, nodes, options)))
}

/** Invites by the running first founder, joins by each of the others that is in no mesh yet. */
export async function prepareGuests(nodes: PlacedNode[], options: PrepareOptions): Promise<void> {
  const issuer = nodes[0]!
  const guests = nodes.filter((node) => !node.founder)
  await all(
    guests.map(async (node) => {
      if (!isMember(node)) {
        const ticket = await kairos(issuer.path, ['invite', '--role', node.role, '-q'], options.signal)
        await kairos(node.path, ['join', ticket.trim(), '--name', node.name], options.signal)
      }
      await configure(node, nodes, options)
    }),
  )
}

/** As `Promise.all`, but when one fails the others are waited for: none runs on after the launcher has ended. */
async function all<T>(work: Promise<T>[]): Promise<T[]> {
  await Promise.allSettled(work)
  return Promise.all(work)
}

async function writeEntry(node: PlacedNode, options: PrepareOptions): Promise<string> {
  const entry = entryFile(options.root, node)
  const args = ['init', '--founder', '--name', node.name, '--role', node.role, '--cell', node.cell]
  await writeFile(entry, await kairos(node.path, args, options.signal))
  return entry
}

async function configure(node: PlacedNode, nodes: PlacedNode[], options: PrepareOptions): Promise<void> {
  const [p2p, api] = node.ports
  const others = nodes.filter((other) => other !== node && other.role !== 'light')
  const values: Record<string, string | number | boolean> = {
    name: node.name,
    'node.role': node.role,
    'node.cell': node.cell,
    'network.listen': `/ip4/127.0.0.1/tcp/${p2p}`,
    'network.bootstrap': others.map((other) => `/ip4/127.0.0.1/tcp/${other.ports[0]}`).join(','),
    'api.port': api,
    ...plannedConfig(node, nodes.indexOf(node), options.recording, options.daysPerSecond),
  }
  const document = await ConfigDocument.read(resolvePaths({ path: node.path }).config)
  for (const [key, value] of Object.entries(values)) document.set(key, String(value))
  await document.write()
}

export function place(root: string, ports: number[]): PlacedNode[] {
  return NODES.map((node, i) => ({
    ...node,
    path: join(root, node.name),
    ports: [ports[i]!, ports[i + NODES.length]!],
  }))
}
