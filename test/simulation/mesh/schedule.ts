import { equalBytes } from '../../../consensus/light/bytes.ts'
import { Dice } from '../dice.ts'
import { Network } from '../network.ts'
import { VirtualTime } from '../time.ts'
import { Trace } from '../trace.ts'
import { Keys, type Identity } from './keys.ts'
import { Liar } from './liar.ts'
import { MeshNemesis } from './nemesis.ts'
import { MeshNode, type Role } from './node.ts'
import { MeshObserver, type MeshViolation } from './observer.ts'
import { faultyOf, HEAL_MS, HEIGHTS_AFTER_HEAL, meshProfileOf, type MeshScheduleOptions } from './options.ts'
import { govern } from './people.ts'
import type { MeshMutant, World } from './world.ts'

export interface MeshOutcome {
  readonly seed: number
  readonly violation: MeshViolation | undefined
  /** of all that happened; the same for the same options */
  readonly hash: string
  readonly events: number
  readonly heights: number
  /** virtual milliseconds from the end of the faults to a mesh that is one again */
  readonly healedMs: number
  readonly contradictions: number
  readonly lies: number
  readonly lines: readonly string[]
}

const POLL_MS = 50

/** One life of one mesh: faults and lies, then only lies, which may keep nobody from going on. */
export class MeshSchedule {
  readonly #options: MeshScheduleOptions
  readonly #faulty: number
  readonly #world: World
  readonly #nemesis: MeshNemesis
  readonly #dice: Dice
  #healedMs = 0

  constructor(options: MeshScheduleOptions, keys: Keys, mutant: MeshMutant | undefined) {
    this.#options = options
    this.#faulty = options.faulty ?? faultyOf(options.nodes)
    const profile = meshProfileOf(options)
    this.#dice = new Dice(options.seed)
    const [time, trace] = [new VirtualTime(), new Trace(options.verbose)]
    const network = new Network(time, this.#dice.fork(), profile.network)
    const { epochMs, idleEpochMs, doubleVote } = profile
    const genesis = keys.genesis({ epochMs, idleEpochMs, doubleVote })
    const faulty = this.#chooseFaulty(keys)
    const observer = new MeshObserver(keys, new Set(faulty.map(({ number }) => number)))
    const nodes: MeshNode[] = []
    this.#world = { time, trace, network, profile, keys, genesis, observer, mutant, nodes }
    const add = (identity: Identity, role: Role) => {
      const dice = this.#dice.fork()
      const liar = role === 'liar' ? new Liar(keys, identity, profile, dice.fork()) : undefined
      nodes.push(new MeshNode({ world: this.#world, id: nodes.length + 1, identity, role, dice, liar }))
    }
    const isTwin = (identity: Identity) => profile.isTwin[faulty.indexOf(identity)] === true
    const roleOf = (identity: Identity): Role =>
      faulty.includes(identity) ? (isTwin(identity) ? 'twin' : 'liar') : 'honest'
    for (const identity of keys.identities.slice(0, options.nodes)) add(identity, roleOf(identity))
    for (const identity of faulty.filter(isTwin)) add(identity, 'twin')
    if (profile.isGoverned) add(keys.identities.at(-1)!, 'honest')
    this.#nemesis = new MeshNemesis(this.#world, this.#dice.fork())
    if (profile.isGoverned) govern(this.#world, this.#dice.fork())
  }

  async run(): Promise<MeshOutcome> {
    const { time, nodes, profile } = this.#world
    for (const node of nodes) time.after(this.#dice.between(0, 50), () => node.start())
    if (await this.#until(profile.faultsMs)) {
      this.#nemesis.heal()
      await this.#heal()
    }
    return this.#outcome()
  }

  async #heal(): Promise<void> {
    const { time, observer } = this.#world
    const [began, goal] = [time.now, observer.top + HEIGHTS_AFTER_HEAL]
    let why: string | undefined
    for (let isOne = false; time.now < began + HEAL_MS;) {
      if (!(await this.#until(time.now + POLL_MS))) return
      isOne ||= this.#expect()
      why = this.#difference(goal)
      if (why === undefined) {
        this.#healedMs = time.now - began
        return
      }
    }
    observer.report('a healed mesh goes on', why!)
  }

  get #honest(): MeshNode[] {
    return this.#world.nodes.filter(({ isHonest }) => isHonest)
  }

  /** All honest nodes are at one height: rounds count from here. @returns whether they are */
  #expect(): boolean {
    const { observer } = this.#world
    const statuses = this.#honest.flatMap(({ life }) => life?.mesh.status ?? [])
    const height = Math.max(...statuses.map(({ height }) => height))
    if (statuses.length < this.#honest.length || statuses.some((one) => one.height < height)) return false
    observer.expect({ height, round: Math.max(...statuses.map(({ round }) => round)) })
    return true
  }

  /** @returns what is not yet as it has to be */
  #difference(goal: number): string | undefined {
    for (const node of this.#honest) {
      const { life, height } = node
      if (life === undefined) return `${node.id} is down`
      if (height < goal) return `${node.describe()}, and is to have ${goal}`
      const { policy, out, operators } = life.application.state
      for (const number of policy.doubleVote === 'remove' ? life.accused : []) {
        const { key } = this.#world.keys.identities[number]!
        const isMember = operators.some(({ members }) => members.some((member) => equalBytes(member, key)))
        if (isMember && !out.some((one) => equalBytes(one, key)))
          return `${node.id} saw ${number} contradict itself, who is still a member`
      }
    }
    return undefined
  }

  /** @returns false when something was violated */
  async #until(ms: number): Promise<boolean> {
    const { time, observer } = this.#world
    do await settled()
    while (observer.violation === undefined && time.step(ms))
    return observer.violation === undefined
  }

  async #outcome(): Promise<MeshOutcome> {
    const { trace, observer, nodes, time } = this.#world
    const ends = nodes.map((node) => node.describe())
    for (const node of nodes) node.crash()
    // Engines are freed.
    while (time.step(time.now)) await settled()
    const { seed, verbose } = this.#options
    return {
      seed,
      violation: observer.violation,
      hash: trace.hash,
      events: trace.count,
      heights: observer.top,
      healedMs: this.#healedMs,
      contradictions: observer.contradictions,
      lies: observer.lies,
      lines: verbose ? [...trace.lines, ...ends] : [],
    }
  }

  #chooseFaulty(keys: Keys): readonly Identity[] {
    const left = keys.identities.slice(0, this.#options.nodes)
    return Array.from({ length: this.#faulty }, () => left.splice(this.#dice.whole(0, left.length - 1), 1)[0]!)
  }
}

/** All promises that the last event settled have run: Node empties the microtasks before the next tick's callbacks. */
function settled(): Promise<void> {
  return new Promise((resolve) => process.nextTick(resolve))
}
