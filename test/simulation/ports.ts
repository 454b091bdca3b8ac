import type { Configuration, CreateEngine, SnapshotMeta } from '../../consensus/cell/engine.ts'
import type { Log, StateMachine, Transport } from '../../consensus/cell/ports.ts'
import { keyOf, type Registers } from './machine.ts'
import type { SimulatedNode, World } from './node.ts'
import type { Observer } from './observer.ts'

/** After which the transport gives a snapshot up. */
const SNAPSHOT_MS = 2000

/** The engine, and the observer told of all that it is given and says. */
export function observedEngine(node: SimulatedNode, { createEngine, observer, time }: World): CreateEngine {
  return (start) => {
    observer.started(start)
    if (!sameMembers(start.configuration, node.machine!.configuration)) {
      observer.report('restart', `${node.id} starts with another configuration than it applied`)
    }
    const engine = createEngine(start)
    return {
      input: (input) => {
        if (input.type === 'snapshot') checkOffer(node, input.meta, observer)
        const effects = engine.input(input)
        observer.effects(start.id, effects)
        if (input.type !== 'step' || effects.reads.length > 0) time.isStirred = true
        return effects
      },
      free: () => engine.free(),
    }
  }
}

function checkOffer({ id, blocks, machine }: SimulatedNode, { index, root }: SnapshotMeta, observer: Observer): void {
  const isTrue = blocks.has(keyOf(root)) && machine?.roots.get(index) === keyOf(root)
  if (!isTrue) observer.report('a snapshot is of its index', `${id} offers another state at ${index}`)
}

/** The state machine, and the observer told of what it applies. */
export function watchedMachine(id: number, machine: Registers, { observer, time }: World): StateMachine {
  return {
    get applied() {
      return machine.applied
    },
    get configuration() {
      return machine.configuration
    },
    apply: (entries, configured) => {
      time.isStirred = true
      observer.apply(id, entries)
      return machine.apply(entries, configured)
    },
    snapshot: () => {
      time.isStirred = true
      return machine.snapshot()
    },
    install: async (meta) => {
      time.isStirred = true
      await machine.install(meta)
      observer.opened(id, meta.index)
    },
  }
}

/** The disk's log; whoever writes waits for it. */
export function stirringLog(log: Log, { time }: World): Log {
  return {
    read: () => log.read(),
    append: (write) => {
      time.isStirred = true
      return log.append(write)
    },
  }
}

/** Messages over the simulated network, in the envelopes that a transport vouches for. */
export function simulatedTransport(node: SimulatedNode, world: World): Transport {
  const { observer, network, time, trace } = world
  return {
    send(to, bytes, snapshot) {
      if (!node.up) return
      if (node.isMute)
        observer.report('a failed flush stops the node', `${node.id} speaks after its disk refused a write`)
      observer.sent(bytes)
      trace.bytes('send', time.now, node.id, to, bytes)
      const there = world.node(to)
      if (there === undefined || !there.up) node.after(1, () => node.member?.unreachable(to))
      if (snapshot !== undefined) return offer(node, world, to, bytes, snapshot)
      const message = { from: node.id, bytes, snapshot }
      network.send(node.id, to, () => world.node(to)?.receive(message))
    },
  }
}

// The follower fetches the blocks it lacks from the sender before it looks at the message; the sender hears of the end.
function offer(node: SimulatedNode, world: World, to: number, bytes: Uint8Array, snapshot: SnapshotMeta): void {
  const { network } = world
  let isOver = false
  const over = (ok: boolean) => {
    if (!isOver) node.member?.snapshotSent(to, ok)
    isOver = true
  }
  node.after(SNAPSHOT_MS, () => over(false))
  network.send(node.id, to, () => {
    const there = world.node(to)
    const key = keyOf(snapshot.root)
    const state = node.up ? node.blocks.get(key) : undefined
    if (there?.up !== true || state === undefined) return
    network.send(node.id, to, () => {
      there.blocks.set(key, state)
      there.receive({ from: node.id, bytes, snapshot })
      network.send(to, node.id, () => node.after(0, () => over(true)))
    })
  })
}

function sameMembers(a: Configuration, b: Configuration): boolean {
  return JSON.stringify(a) === JSON.stringify(b)
}
