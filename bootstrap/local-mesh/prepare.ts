import { existsSync } from 'node:fs'
import { mkdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { ConfigDocument } from '../../node/config/document.ts'
import { resolvePaths } from '../../node/config/paths.ts'
import { NODES, OPERATOR_WEIGHT, plannedConfig, type PlannedNode } from './plan.ts'
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

const isMember = (node: PlacedNode): boolean => existsSync(resolvePaths({ path: node.path }).genesis)

/**
 * Makes the founders and their genesis as four operators would: each its own entry, one genesis of
 * all entries, adopted by each. A node that already belongs to a mesh is left as it is.
 */
export async function prepareFounders(nodes: PlacedNode[], options: PrepareOptions): Promise<void> {
  await mkdir(options.root, { recursive: true, mode: 0o700 })
  const founders = nodes.filter((node) => node.founder)
  if (!founders.every(isMember)) {
    await Promise.all(nodes.map((node) => rm(node.path, { recursive: true, force: true })))
    const entries = await Promise.all(founders.map((node) => writeEntry(node, options)))
    const genesis = join(options.root, 'genesis.json')
    const weight = ['--weight', String(OPERATOR_WEIGHT)]
    await writeFile(
      genesis,
      await kairos(founders[0]!.path, ['genesis', 'create', ...weight, '--name', 'local', ...entries]),
    )
    await Promise.all(founders.map((node) => kairos(node.path, ['init', '--genesis', genesis], options.signal)))
  }
  await Promise.all(founders.map((node) => configure(node, nodes, options)))
}

/** Invites by the running first founder, joins by each of the others that is in no mesh yet. */
export async function prepareGuests(nodes: PlacedNode[], options: PrepareOptions): Promise<void> {
  const issuer = nodes[0]!
  const guests = nodes.filter((node) => !node.founder)
  await Promise.all(
    guests.map(async (node) => {
      if (!isMember(node)) {
        await kairos(node.path, ['init', '--name', node.name, '--role', node.role, '--cell', node.cell], options.signal)
        const ticket = await kairos(issuer.path, ['invite', '--role', node.role, '-q'], options.signal)
        await kairos(node.path, ['join', ticket.trim()], options.signal)
      }
      await configure(node, nodes, options)
    }),
  )
}

async function writeEntry(node: PlacedNode, options: PrepareOptions): Promise<string> {
  const entry = join(options.root, `${node.name}.founder.json`)
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
