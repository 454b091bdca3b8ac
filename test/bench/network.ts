import { fork } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout } from 'node:timers/promises'
import { privateKeyToProtobuf } from '@libp2p/crypto/keys'
import type { Network } from '../../node/network/types.ts'
import { addressOf, openTopic, TestMesh, until } from '../integration/network/mesh.ts'
import type { FlooderOrder } from './network-flooder.ts'

/** One line of test/bench/RESULTS.md. */
export interface Figure {
  name: string
  value: number
  unit: string
  target?: string
}

const TOPIC = '/bench'
const NODES = 100
/** gossipsub's Dlo: below it a node is still looking for its mesh. */
const MIN_NEIGHBOURS = 6
const REPORT_EVERY_MS = 10_000
const REPORT_ROUNDS = 2
const MAX_SETTLE_MS = 30_000
const FLOOD_MS = 10_000
const HONEST_EVERY_MS = 20

/** Two minutes on two idle cores: most of it is 100 nodes of one process that get to know each other. */
export async function benchGossip(): Promise<Figure[]> {
  return [...(await benchHundredNodes()), ...(await benchInvalidFlood())]
}

/** 100 nodes in one process, a report per 10 s each: how many of the deliveries that are due happen. */
async function benchHundredNodes(): Promise<Figure[]> {
  const mesh = await TestMesh.create(Array.from({ length: NODES }, () => 'full' as const))
  const topics = mesh.seats.map(() => openTopic(TOPIC))
  const nodes: Network[] = []
  const started = performance.now()
  try {
    for (const [index, topic] of topics.entries()) {
      const bootstrap = nodes.length === 0 ? [] : [addressOf(nodes[Math.floor(index / 2)] as Network)]
      nodes.push(await mesh.start(index, { topics: [topic], config: { bootstrap } }))
    }
    await until(() => nodes.every(({ pubsub }) => pubsub.getSubscribers(TOPIC).length >= MIN_NEIGHBOURS), 150_000)
    const readyMs = performance.now() - started
    await settled(nodes)
    await reportForAWhile(nodes)
    const due = NODES * (NODES - 1) * REPORT_ROUNDS
    const delivered = () => topics.reduce((sum, topic) => sum + topic.delivered.length, 0)
    await until(() => delivered() === due, 10_000).catch(() => undefined)
    return [
      { name: '100 nodes in one process: start to gossip mesh', value: readyMs / 1000, unit: 's', target: '≤ 60' },
      { name: '100 nodes, a report per 10 s: delivered', value: (100 * delivered()) / due, unit: '%', target: '100' },
      { name: '100 nodes: RSS', value: process.memoryUsage().rss / 1_048_576, unit: 'MiB' },
    ]
  } finally {
    await mesh.stopAll()
  }
}

/** While 100 nodes of one process still dial each other, the figure would be of that: waits for the last dial. */
async function settled(nodes: Network[]): Promise<void> {
  const end = performance.now() + MAX_SETTLE_MS
  const count = () => nodes.reduce((sum, { libp2p }) => sum + libp2p.getConnections().length, 0)
  for (let before = -1, now = count(); before !== now && performance.now() < end; now = count()) {
    before = now
    await setTimeout(3000)
  }
}

async function reportForAWhile(nodes: Network[]): Promise<void> {
  const paceMs = REPORT_EVERY_MS / nodes.length
  const start = performance.now()
  const publishing: Promise<void>[] = []
  while (publishing.length < nodes.length * REPORT_ROUNDS) {
    // All that is due by now: a busy loop must not slow the reports down.
    while (publishing.length < Math.min((performance.now() - start) / paceMs, nodes.length * REPORT_ROUNDS)) {
      const node = nodes[publishing.length % nodes.length] as Network
      publishing.push(node.publish(TOPIC, new Uint8Array(260).fill(publishing.length % 256)))
    }
    await setTimeout(paceMs)
  }
  await Promise.all(publishing)
}

/** An attacker process with a member's key sends invalid signatures at line rate and comes back when it is cut. */
async function benchInvalidFlood(): Promise<Figure[]> {
  const mesh = await TestMesh.create(['full', 'full', 'full'])
  const latencies: { atMs: number; ms: number }[] = []
  const listening = openTopic(TOPIC)
  listening.deliver = ({ data }) => {
    const sentMs = Buffer.from(data).readDoubleBE()
    latencies.push({ atMs: performance.now(), ms: performance.now() - sentMs })
  }
  const target = await mesh.start(0, { topics: [listening] })
  const honest = await mesh.start(1, { topics: [openTopic(TOPIC)] })
  await honest.connect(addressOf(target), AbortSignal.timeout(5000))
  await until(() => honest.pubsub.getSubscribers(TOPIC).length === 1)
  const attacker = fork(new URL('network-flooder.ts', import.meta.url))
  try {
    const calm = await publishFor(honest, 2_000)
    const calmP99 = p99(latencies.splice(0).map(({ ms }) => ms))
    const banned = once(target.events, 'banned').then(() => performance.now())
    const order: FlooderOrder = {
      genesis: mesh.genesis,
      privateKey: Buffer.from(privateKeyToProtobuf(mesh.seat(2).key)).toString('base64'),
      target: addressOf(target),
      topic: TOPIC,
    }
    attacker.send(order)
    await once(attacker, 'message')
    const startMs = performance.now()
    const sent = await publishFor(honest, FLOOD_MS)
    const cutMs = (await Promise.race([banned, setTimeout(1000, Number.POSITIVE_INFINITY)])) - startMs
    await until(() => latencies.length === sent, 5_000).catch(() => undefined)
    const later = latencies.filter(({ atMs }) => atMs > startMs + 1000).map(({ ms }) => ms)
    return [
      { name: 'honest gossip before the flood, p99', value: calmP99, unit: 'ms' },
      {
        name: 'invalid flood at line rate: flooder cut after',
        value: Math.max(0, cutMs),
        unit: 'ms',
        target: '≤ 1000',
      },
      {
        name: 'invalid flood: honest gossip after the first second, p99',
        value: p99(later),
        unit: 'ms',
        target: '≤ 100',
      },
      {
        name: 'invalid flood: honest gossip delivered',
        value: (100 * latencies.length) / sent,
        unit: '%',
        target: '100',
      },
      { name: 'honest gossip published before the flood', value: calm, unit: 'messages' },
    ]
  } finally {
    attacker.kill()
    await mesh.stopAll()
  }
}

/** @returns how many messages were published */
async function publishFor(node: Network, durationMs: number): Promise<number> {
  const end = performance.now() + durationMs
  let sent = 0
  while (performance.now() < end) {
    const data = Buffer.alloc(8)
    data.writeDoubleBE(performance.now())
    await node.publish(TOPIC, data)
    sent += 1
    await setTimeout(HONEST_EVERY_MS)
  }
  return sent
}

function p99(values: number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * 0.99))] ?? Number.POSITIVE_INFINITY
}
