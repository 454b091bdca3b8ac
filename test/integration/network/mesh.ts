import { setTimeout } from 'node:timers/promises'
import { generateKeyPair } from '@libp2p/crypto/keys'
import type { Ed25519PrivateKey } from '@libp2p/interface'
import { defaultLogger } from '@libp2p/logger'
import { peerIdFromPrivateKey } from '@libp2p/peer-id'
import { MemoryDatastore } from 'datastore-core'
import { createMembership } from '../../../node/network/membership.ts'
import { createNetwork } from '../../../node/network/network.ts'
import type { GossipMessage, Network, NetworkConfig, NetworkInit, TopicSpec } from '../../../node/network/types.ts'
import { createGenesis, meshIdOf, type Genesis, type Role } from '../../../protocols/admission/index.ts'
import { ACCEPT } from '../../../protocols/shared/verdict.ts'

/** A founder that is not running yet. */
export interface Seat {
  key: Ed25519PrivateKey
  peerId: string
  role: Role
  store: MemoryStore
  datastore: MemoryDatastore
}

/** The node's sublevel, in memory; survives a restart of the node on it. */
export class MemoryStore {
  readonly #values = new Map<string, Uint8Array>()

  async get(key: string | Uint8Array): Promise<Uint8Array | undefined> {
    return this.#values.get(String(key))
  }

  async put(key: string | Uint8Array, value: Uint8Array): Promise<void> {
    this.#values.set(String(key), value)
  }

  has(key: string): boolean {
    return this.#values.has(key)
  }

  clear(): void {
    this.#values.clear()
  }
}

/** Founders of one mesh, `cell0`, `cell1`, … of at most `perCell` each. */
export class TestMesh {
  readonly genesis: Genesis
  readonly seats: Seat[]
  readonly #running = new Set<Network>()

  private constructor(genesis: Genesis, seats: Seat[]) {
    this.genesis = genesis
    this.seats = seats
  }

  static async create(roles: Role[], perCell = 20): Promise<TestMesh> {
    const seats = await Promise.all(
      roles.map(async (role) => {
        const key = await generateKeyPair('Ed25519')
        const peerId = peerIdFromPrivateKey(key).toString()
        return { key, peerId, role, store: new MemoryStore(), datastore: new MemoryDatastore() }
      }),
    )
    const founders = seats.map(({ peerId, role }, index) => ({
      peerId,
      role,
      name: `node${index}`,
      cell: `cell${Math.floor(index / perCell)}`,
    }))
    return new TestMesh(createGenesis(founders, { name: 'test', created: Date.now() }), seats)
  }

  get meshId(): string {
    return meshIdOf(this.genesis)
  }

  seat(index: number): Seat {
    const seat = this.seats[index]
    if (seat === undefined) throw new RangeError(`no seat ${index}`)
    return seat
  }

  async start(index: number, options: StartOptions = {}): Promise<Network> {
    const network = await this.make(index, options)
    this.#running.add(network)
    await network.start()
    return network
  }

  async make(index: number, options: StartOptions = {}): Promise<Network> {
    const { key, role, store, datastore } = this.seat(index)
    return makeNode({ key, genesis: this.genesis, name: `node${index}`, role, store, datastore, ...options })
  }

  async stop(network: Network): Promise<void> {
    this.#running.delete(network)
    await network.stop()
  }

  async stopAll(): Promise<void> {
    await Promise.all([...this.#running].map((network) => this.stop(network)))
  }
}

export type StartOptions = Partial<Omit<NetworkInit, 'config'>> & { config?: Partial<NetworkConfig> }

export interface NodeOptions extends StartOptions {
  key: Ed25519PrivateKey
  genesis: Genesis
  name?: string
}

async function makeNode({ key, genesis, name = 'node', config, ...rest }: NodeOptions): Promise<Network> {
  const store = new MemoryStore()
  const membership = createMembership({ privateKey: key, genesis, chain: [], name, store })
  return createNetwork({
    privateKey: key,
    membership,
    datastore: new MemoryDatastore(),
    store,
    role: membership.self.role,
    config: { ...DEFAULT_CONFIG, ...config },
    topics: [],
    logger: defaultLogger(),
    userAgent: 'kairos/0.1.0',
    version: '0.1.0',
    ...rest,
  })
}

export async function startNode(options: NodeOptions): Promise<Network> {
  const node = await makeNode(options)
  await node.start()
  return node
}

const DEFAULT_CONFIG: NetworkConfig = {
  listen: ['/ip4/127.0.0.1/tcp/0'],
  announce: [],
  bootstrap: [],
  mdns: false,
  allowRanges: [],
  maxConnections: 300,
  transport: 'noise',
  relay: { maxReservations: 16, maxDurationMs: 3_600_000, maxDataBytes: 1_073_741_824 },
}

/** Waits for a condition; says which test gave up when it never holds, so that no loop outlives its test. */
export async function until(condition: () => boolean | Promise<boolean>, timeoutMs = 20_000): Promise<void> {
  const deadline = performance.now() + timeoutMs
  while (!(await condition())) {
    if (performance.now() > deadline) throw new Error(`never became true: ${condition.toString()}`)
    await setTimeout(10)
  }
}

export function addressOf(network: Network): string {
  const address = network.libp2p.getMultiaddrs()[0]
  if (address === undefined) throw new Error('the node does not listen')
  return address.toString()
}

/** A topic that takes anything, with what it delivered. */
export function openTopic(topic: string): TopicSpec & { delivered: GossipMessage[] } {
  const delivered: GossipMessage[] = []
  return {
    topic,
    budget: { ratePerSecond: 1000, burst: 1000 },
    validate: () => ACCEPT,
    deliver: (message) => delivered.push(message),
    delivered,
  }
}
