import { commandId, encodeCommand } from './commands.ts'
import type { Dice } from './dice.ts'
import type { Network } from './network.ts'
import type { SimulatedNode } from './node.ts'
import type { Fault, Profile } from './options.ts'
import type { VirtualTime } from './time.ts'
import type { Trace } from './trace.ts'

export interface NemesisInit {
  readonly time: VirtualTime
  readonly trace: Trace
  readonly dice: Dice
  readonly profile: Profile
  readonly network: Network
  readonly nodes: ReadonlyMap<number, SimulatedNode>
  /** a machine with an empty disk and the next id */
  readonly addNode: () => SimulatedNode
}

const MOST_NODES = 9

/** Makes one fault after the other, each of which ends by itself, until it is told to stop. */
export class Nemesis {
  active = true
  #flips = 0
  #reforms = 0
  readonly #founders: number
  readonly #init: NemesisInit

  constructor(init: NemesisInit) {
    this.#init = init
    this.#founders = init.nodes.size
    if (init.profile.faults.length > 0) this.#next()
  }

  /** No more faults: links whole, disks good, everybody up that is not damaged. */
  heal(): void {
    const { network, nodes, trace, time } = this.#init
    this.active = false
    trace.note('heal', time.now)
    network.mend()
    network.profile = { loss: 0, duplication: 0, delayMs: Math.min(network.profile.delayMs, 30) }
    for (const node of nodes.values()) {
      node.flushFactor = 1
      node.disk.failing = false
      if (node.silent) node.crash(false)
      if (node.paused) node.resume()
      if (!node.damaged) node.start()
    }
  }

  #next(): void {
    const { time, dice, profile } = this.#init
    time.after(dice.exponential(profile.faultEveryMs), () => {
      if (!this.active) return
      this.#strike(dice.pick(profile.faults)!)
      this.#next()
    })
  }

  #strike(fault: Fault): void {
    const { trace, time, dice, nodes } = this.#init
    const node = dice.pick([...nodes.values()])!
    trace.note(fault, time.now, node.id)
    STRIKES[fault](this.#init, node, (ms, run) => time.after(ms, () => this.active && run()))
    if (fault === 'bit-flip') this.#flip(node)
    if (fault === 'membership') this.#reform()
  }

  // One disk a schedule, and of three at least: what more lose, no majority can be asked to keep.
  #flip(node: SimulatedNode): void {
    if (this.#flips > 0 || this.#founders < 3) return
    node.crash(false)
    node.flipBit()
    if (!node.damaged) return
    this.#flips++
    node.start()
  }

  // By way of the agreed state: the leader brings the configuration to what that says.
  #reform(): void {
    const { nodes, addNode, dice } = this.#init
    const door = dice.pick([...nodes.values()].filter(({ up, damaged }) => up && !damaged))
    if (door === undefined) return
    const joins = nodes.size < MOST_NODES && dice.chance(0.6)
    const id = joins ? addNode().id : dice.whole(1, nodes.size)
    if (joins) nodes.get(id)?.start()
    const [kind, number] = [joins ? ('join' as const) : ('leave' as const), ++this.#reforms]
    const command = { client: 98, number, kind, key: 0, value: id, expected: 0 }
    void door.execute(command, commandId(command), encodeCommand(command))
  }
}

type Later = (ms: number, run: () => void) => void
type Strike = (init: NemesisInit, node: SimulatedNode, later: Later) => void

const STRIKES: Record<Fault, Strike> = {
  crash: ({ dice, profile }, node, later) => {
    node.crash(profile.tear && dice.chance(0.7))
    later(dice.between(1, 2500), () => node.start())
  },
  'crash-all': ({ dice, profile, nodes }, _node, later) => {
    if (!dice.chance(0.3)) return
    for (const node of nodes.values()) {
      node.crash(profile.tear && dice.chance(0.7))
      later(dice.between(1, 800), () => node.start())
    }
  },
  pause: ({ dice }, node, later) => {
    node.pause()
    later(dice.between(10, 4000), () => node.resume())
  },
  partition: ({ dice, nodes, network }, _node, later) => {
    const ids = [...nodes.keys()]
    const side = new Set(ids.filter(() => dice.chance(0.5)))
    for (const from of ids) for (const to of ids) if (side.has(from) !== side.has(to)) network.cut(from, to)
    later(dice.between(100, 4000), () => network.mend())
  },
  'one-way': ({ dice, nodes, network }, node, later) => {
    const inward = dice.chance(0.5)
    for (const other of nodes.keys()) {
      if (other !== node.id && dice.chance(0.7)) network.cut(inward ? other : node.id, inward ? node.id : other)
    }
    later(dice.between(100, 4000), () => network.mend())
  },
  clog: ({ dice, nodes, network }, node) => {
    for (const other of nodes.keys()) if (dice.chance(0.5)) network.clog(node.id, other, dice.between(100, 5000))
  },
  'bit-flip': () => undefined,
  'fsync-fails': ({ dice }, node, later) => {
    node.disk.failing = true
    later(dice.between(500, 2500), () => {
      node.crash(false)
      node.start()
    })
  },
  'clock-jump': ({ dice }, node) => node.jump(dice.between(1, 2000)),
  transfer: ({ nodes }, node) => {
    for (const other of nodes.values()) if (other.member?.status()?.role === 'leader') other.member.transfer(node.id)
  },
  membership: () => undefined,
  'slow-disk': ({ dice }, node, later) => {
    node.flushFactor = dice.between(5, 60)
    later(dice.between(200, 3000), () => (node.flushFactor = 1))
  },
}
