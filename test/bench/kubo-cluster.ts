import { execFile, execFileSync, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { eventually } from '../helpers/processes.ts'
import { Kubo, urlOf } from './kubo.ts'

const PEERS = 3
const PROGRAM = 'ipfs-cluster-service'
/** A peer learns what room the others have by their pings, four a minute. */
const LONGEST_START_MS = 90_000
/** Of the first peer; each other one has its own hundred above. Nobody else is in their network. */
const PORTS = { cluster: 9096, rest: 9094, proxy: 9095, pinning: 9097 }

export interface ClusterPlace {
  n: number
  path: string
  /** 64 hex digits */
  secret: string
  /** API of its Kubo, such as `/ip4/127.0.0.1/tcp/5001` */
  kubo: string
}

/** @returns undefined when there is no IPFS Cluster on the PATH */
export function clusterVersion(): string | undefined {
  try {
    return versionIn(execFileSync(PROGRAM, ['--version'], { encoding: 'utf8' }))
  } catch {
    return undefined
  }
}

export function versionIn(text: string): string | undefined {
  return /version (\d\S*)/.exec(text)?.[1]
}

/** Three peers of IPFS Cluster that agree by Raft, each beside a Kubo. They end with the namespace that they are started in. */
export class ThreeClusters {
  readonly kubos: readonly Kubo[]

  private constructor(kubos: readonly Kubo[]) {
    this.kubos = kubos
  }

  static async start(root: string): Promise<ThreeClusters> {
    const kubos = await startKubos(root)
    const secret = randomBytes(32).toString('hex')
    let bootstrap: string[] = []
    for (const [n, { apiAddress: kubo }] of kubos.entries()) {
      const path = join(root, `cluster${n}`)
      const env = { ...process.env, ...clusterEnv({ n, path, secret, kubo }) }
      await promisify(execFile)(PROGRAM, ['init', '--consensus', 'raft'], { env })
      spawn(PROGRAM, ['daemon', ...bootstrap], { env, stdio: 'ignore' })
      await eventually('IPFS Cluster answers', () => answers(n), LONGEST_START_MS)
      const { id } = JSON.parse(await readFile(join(path, 'identity.json'), 'utf8')) as { id: string }
      if (n === 0) bootstrap = ['--bootstrap', `${listening(0, 'cluster')}/p2p/${id}`]
    }
    return new ThreeClusters(kubos)
  }

  /** Waits until a pin with a copy on each of them is held. */
  async ready(cid: string): Promise<void> {
    const isPinned = () =>
      this.pin(cid).then(
        async () => (await this.held()) > 0,
        () => false,
      )
    await eventually('IPFS Cluster takes a pin with three copies', isPinned, LONGEST_START_MS)
  }

  async pin(cid: string): Promise<void> {
    await ask(0, `pins/${cid}?replication-min=${PEERS}&replication-max=${PEERS}`, 'POST')
  }

  /** @returns how many pins all of them hold, as they say themselves */
  async held(): Promise<number> {
    return heldIn(await ask(0, 'pins'), PEERS)
  }
}

/** Everything on loopback, nobody looked for; all else as it comes. */
export function clusterEnv({ n, path, secret, kubo }: ClusterPlace): Record<string, string> {
  return {
    IPFS_CLUSTER_PATH: path,
    CLUSTER_PEERNAME: `cluster${n}`,
    CLUSTER_SECRET: secret,
    CLUSTER_LISTENMULTIADDRESS: listening(n, 'cluster'),
    CLUSTER_MDNSINTERVAL: '0s',
    CLUSTER_RESTAPI_HTTPLISTENMULTIADDRESS: listening(n, 'rest'),
    CLUSTER_PINSVCAPI_HTTPLISTENMULTIADDRESS: listening(n, 'pinning'),
    CLUSTER_IPFSPROXY_LISTENMULTIADDRESS: listening(n, 'proxy'),
    CLUSTER_IPFSPROXY_NODEMULTIADDRESS: kubo,
    CLUSTER_IPFSHTTP_NODEMULTIADDRESS: kubo,
  }
}

/** @param text - a line for each pin, as its API lists them; @returns of how many so many copies are `pinned` */
export function heldIn(text: string, copies: number): number {
  const lines = text.split('\n').filter((line) => line !== '')
  const pins = lines.map((line) => JSON.parse(line) as { peer_map: Record<string, { status: string }> })
  return pins.filter(({ peer_map }) => {
    const pinned = Object.values(peer_map).filter(({ status }) => status === 'pinned')
    return pinned.length >= copies
  }).length
}

async function startKubos(root: string): Promise<Kubo[]> {
  const kubos: Kubo[] = []
  for (let n = 0; n < PEERS; n++) kubos.push(await Kubo.start(join(root, `kubo${n}`)))
  for (const [n, kubo] of kubos.entries()) for (const other of kubos.slice(0, n)) await kubo.connect(other)
  return kubos
}

function listening(n: number, what: keyof typeof PORTS): string {
  return `/ip4/127.0.0.1/tcp/${PORTS[what] + 100 * n}`
}

async function answers(n: number): Promise<boolean> {
  return ask(n, 'id').then(
    () => true,
    () => false,
  )
}

async function ask(n: number, path: string, method: 'GET' | 'POST' = 'GET'): Promise<string> {
  const response = await fetch(`${urlOf(listening(n, 'rest'))}/${path}`, { method })
  const text = await response.text()
  if (!response.ok) throw new Error(`IPFS Cluster, ${path}: ${text.slice(0, 300)}`)
  return text
}
