import type { Dice } from '../dice.ts'
import type { MeshNode } from './node.ts'
import type { MeshFault } from './options.ts'
import type { World } from './world.ts'

/** Steps of the ports of a node, of which one is its last. */
const MOST_STEPS = 60

/** Makes one fault after the other, each of which ends by itself, until it is told to stop. */
export class MeshNemesis {
  #isActive = true
  readonly #world: World
  readonly #dice: Dice

  constructor(world: World, dice: Dice) {
    this.#world = world
    this.#dice = dice
    if (world.profile.faults.length > 0) this.#next()
  }

  /** No more faults: links whole, disks good, everybody up. */
  heal(): void {
    const { network, nodes, trace, time } = this.#world
    this.#isActive = false
    trace.note('heal', time.now)
    network.mend()
    network.profile = { loss: 0, duplication: 0, delayMs: Math.min(network.profile.delayMs, 20) }
    for (const node of nodes) {
      node.flushFactor = 1
      node.armed = 0
      if (node.disk.failing || node.life?.failedAt !== undefined) node.crash()
      node.disk.failing = false
      if (node.isPaused) node.resume()
      node.start()
    }
  }

  #next(): void {
    const { time, profile } = this.#world
    time.after(this.#dice.exponential(profile.faultEveryMs), () => {
      if (!this.#isActive) return
      this.#strike(this.#dice.pick(profile.faults)!)
      this.#next()
    })
  }

  #strike(fault: MeshFault): void {
    const { trace, time, nodes } = this.#world
    const node = this.#dice.pick(nodes)!
    trace.note(fault, time.now, node.id)
    STRIKES[fault](this.#world, node, this.#dice, (ms, run) => time.after(ms, () => this.#isActive && run()))
  }
}

type Strike = (world: World, node: MeshNode, dice: Dice, later: (ms: number, run: () => void) => void) => void

const STRIKES: Record<MeshFault, Strike> = {
  crash: (_world, node, dice, later) => {
    node.crash()
    later(dice.between(1, 2500), () => node.start())
  },
  'crash-at-write': (_world, node, dice, later) => {
    node.armed = dice.whole(1, MOST_STEPS)
    for (let ms = dice.between(100, 600), times = 0; times < 6; times++) later((times + 1) * ms, () => node.start())
  },
  'crash-all': ({ nodes }, _node, dice, later) => {
    if (!dice.chance(0.4)) return
    for (const node of nodes) {
      node.crash()
      later(dice.between(1, 800), () => node.start())
    }
  },
  pause: (_world, node, dice, later) => {
    node.pause()
    later(dice.between(10, 3000), () => node.resume())
  },
  partition: (world, _node, dice, later) => {
    split(world, new Set(world.nodes.filter(() => dice.chance(0.5))))
    later(dice.between(100, 3000), () => world.network.mend())
  },
  /** Copies of one key on either side. */
  'twin-split': (world, _node, dice, later) => {
    const seen = new Map<number, boolean>()
    const side = world.nodes.filter(({ identity }) => {
      const isHere = !(seen.get(identity.number) ?? dice.chance(0.5))
      seen.set(identity.number, isHere)
      return isHere
    })
    split(world, new Set(side))
    later(dice.between(500, 5000), () => world.network.mend())
  },
  'one-way': ({ nodes, network }, node, dice, later) => {
    const isInward = dice.chance(0.5)
    for (const { id } of nodes) {
      if (id !== node.id && dice.chance(0.7)) network.cut(isInward ? id : node.id, isInward ? node.id : id)
    }
    later(dice.between(100, 3000), () => network.mend())
  },
  clog: ({ nodes, network }, node, dice) => {
    for (const { id } of nodes) if (dice.chance(0.5)) network.clog(node.id, id, dice.between(100, 4000))
  },
  'fsync-fails': (_world, node, dice, later) => {
    node.disk.failing = true
    later(dice.between(300, 2000), () => {
      node.crash()
      node.start()
    })
  },
  'clock-jump': (_world, node, dice) => node.jump(dice.between(-2000, 2000)),
  'slow-disk': (_world, node, dice, later) => {
    node.flushFactor = dice.between(5, 60)
    later(dice.between(200, 2000), () => (node.flushFactor = 1))
  },
}

function split({ nodes, network }: World, side: ReadonlySet<MeshNode>): void {
  for (const from of nodes) for (const to of nodes) if (side.has(from) !== side.has(to)) network.cut(from.id, to.id)
}
