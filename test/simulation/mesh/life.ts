import {
  certificateCodec,
  checkFinal,
  EpochApplication,
  openBlock,
  proposerOf,
  stateCodec,
} from '../../../consensus/epoch/index.ts'
import { equalBytes } from '../../../consensus/light/bytes.ts'
import { Mesh, type Wal } from '../../../consensus/mesh/index.ts'
import { decodeMessage } from '../../../wasm/bft/messages.ts'
import type { OpenDisk } from './disk.ts'
import { Following } from './following.ts'
import { eventsOf, transportOf, watched } from './life-ports.ts'
import type { MeshNode } from './node.ts'
import { Reporting } from './reporting.ts'
import type { World } from './world.ts'

const NEVER = new Promise<never>(() => {})

/** One life of a node: what is left of it after a crash has no effect on anything. */
export interface Life {
  isAlive: boolean
  readonly disk: OpenDisk
  readonly application: EpochApplication
  readonly reporting: Reporting
  readonly following: Following
  readonly mesh: Mesh
  /** contradictions that this process has seen, by validator's number */
  readonly accused: Set<number>
  failedAt: number | undefined
}

/** A process begins on what its node's disk has. */
export function begin(world: World, node: MeshNode): Life {
  const life = { isAlive: true, accused: new Set<number>(), failedAt: undefined } as unknown as {
    -readonly [K in keyof Life]: Life[K]
  }
  life.disk = node.disk.open({
    after: (ms, run) => void node.after(life, ms, run),
    flushMs: () => 0.2 + node.dice.exponential(world.profile.flushMs) * node.flushFactor,
    step: () => node.step(life),
    failed: () => {
      life.failedAt ??= world.time.now
      world.trace.note('fsync fails', world.time.now, node.id)
    },
  })
  life.application = applicationOf(world, node, life)
  life.reporting = new Reporting(world, node, life)
  life.following = new Following(world, node, life, world.mutant?.checkFinal ?? checkFinal)
  for (const named of node.disk.image.reports.values())
    for (const bytes of named.values()) life.application.reports.put(bytes)
  life.mesh = meshOf(world, node, life)
  return life
}

function applicationOf(world: World, node: MeshNode, life: Life): EpochApplication {
  const { genesis, keys, observer, mutant } = world
  const last = node.disk.image.chain.at(-1)
  const isMutant = node.isHonest && mutant !== undefined
  let before = last === undefined ? genesis : stateCodec.decode(last.state)
  return new EpochApplication({
    state: before,
    certificate: last === undefined ? null : certificateCodec.decode(last.certificate),
    ports: (isMutant ? mutant.ports?.(keys.ports) : undefined) ?? keys.ports,
    store: life.disk.store,
    fetchReports: (epoch, missing, signal) => life.reporting.fetch(epoch, missing, signal),
    now: () => node.now,
    onFinal: ({ certificate }, state) => {
      observer.final(node, before, state, certificate)
      before = state
      life.reporting.enter()
    },
  })
}

function meshOf(world: World, node: MeshNode, life: Life): Mesh {
  const { keys, mutant } = world
  const mutated = node.isHonest ? mutant : undefined
  let named: readonly Uint8Array[] = []
  const wal: Wal = {
    read: (height) => (life.isAlive ? life.disk.read(height) : NEVER),
    append: (height, records) => {
      const reports = named
      named = []
      return life.disk.append(height, records, reports)
    },
  }
  const application = watched(world, node, life, (reports) => (named = reports))
  return Mesh.start({
    mesh: keys.mesh,
    seed: node.identity.seed,
    key: node.identity.key,
    loadEngine: async () => mutated?.engine?.(keys.bft) ?? keys.bft,
    decode: decodeMessage,
    proposerOf,
    matches: ({ value, bytes }) => {
      const block = openBlock(bytes)
      return typeof block !== 'string' && equalBytes(block.value, value)
    },
    pace: () => life.application.state.policy,
    wal: mutated?.wal?.(wal) ?? wal,
    application: mutated?.application?.(application) ?? application,
    transport: transportOf(world, node, life),
    clock: {
      now: () => node.elapsed,
      after: (ms, run) => node.after(life, ms, run),
    },
    events: eventsOf(world, node, life),
  })
}
