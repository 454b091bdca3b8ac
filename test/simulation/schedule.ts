import type { Configuration, CreateEngine } from '../../consensus/cell/engine.ts'
import { Clients } from './clients.ts'
import { Dice } from './dice.ts'
import { emptyImage } from './disk.ts'
import type { Operation } from './linearizability.ts'
import { checkLinearizable } from './linearizability.ts'
import { initialState, keyOf, rootOf } from './machine.ts'
import type { Member, MemberPorts, Mutant } from './member.ts'
import { Nemesis } from './nemesis.ts'
import { Network } from './network.ts'
import { SimulatedNode, type World } from './node.ts'
import { Observer, type Violation } from './observer.ts'
import type { ScheduleOptions } from './options.ts'
import { profileOf } from './options.ts'
import { VirtualTime } from './time.ts'
import { Trace } from './trace.ts'

export interface Outcome {
  readonly seed: number
  readonly violation: Violation | undefined
  /** of all that happened; the same for the same options */
  readonly hash: string
  readonly events: number
  readonly answered: number
  readonly elections: number
  readonly committed: number
  readonly lines: readonly string[]
}

export interface Subject {
  readonly createEngine: CreateEngine
  readonly createMember: (ports: MemberPorts) => Member
  readonly mutant: Mutant | undefined
}

/** Virtual time that a healed cell has to agree and to take a write. */
const HEAL_MS = 20_000
const POLL_MS = 200
const FAULTS_UNTIL = 2 / 3

/** One life of one cell: faults, then healing, then nothing may be left of them. */
export async function runSchedule(options: ScheduleOptions, subject: Subject): Promise<Outcome> {
  const schedule = new Schedule(options, subject)
  const violation = await schedule.run()
  return schedule.outcome(violation)
}

class Schedule {
  readonly #options: ScheduleOptions
  readonly #time = new VirtualTime()
  readonly #trace: Trace
  readonly #observer: Observer
  readonly #nodes = new Map<number, SimulatedNode>()
  readonly #world: World
  readonly #dice: Dice
  readonly #clients: Clients
  readonly #nemesis: Nemesis
  #written = false

  constructor(options: ScheduleOptions, { createEngine, createMember, mutant }: Subject) {
    this.#options = options
    this.#dice = new Dice(options.seed)
    this.#trace = new Trace(options.verbose)
    const profile = profileOf(options.seed)
    const [time, trace] = [this.#time, this.#trace]
    const network = new Network(time, this.#dice.fork(), profile.network)
    const disk = (id: number) => this.#nodes.get(id)?.disk
    this.#observer = new Observer({
      holds: (id, index, term) => disk(id)?.holds(index, term) ?? false,
      hardState: (id) => disk(id)!.image.hardState,
      last: (id) => disk(id)!.last,
    })
    const observer = this.#observer
    const node = (id: number) => this.#nodes.get(id)
    this.#world = { time, trace, network, observer, profile, createEngine, createMember, mutant, node }
    this.#found(options.nodes)
    const addNode = () => this.#addNode(0, { voters: [], learners: [], votersOutgoing: [], learnersNext: [] })
    const nodes = this.#nodes
    this.#nemesis = new Nemesis({ time, trace, dice: this.#dice.fork(), profile, network, nodes, addNode })
    // Who has never had a state is no member yet.
    const doors = () =>
      [...this.#nodes.values()].filter(({ damaged, machine }) => !damaged && (machine?.applied ?? 0) > 0)
    const answered = (id: string) => observer.answered(id)
    this.#clients = new Clients({ time, dice: this.#dice.fork(), profile, doors, answered })
  }

  async run(): Promise<Violation | undefined> {
    const endMs = this.#options.seconds * 1000
    const healMs = endMs * FAULTS_UNTIL
    if (await this.#until(healMs)) return this.#observer.violation
    this.#nemesis.heal()
    if (await this.#until(endMs)) return this.#observer.violation
    this.#clients.active = false
    this.#clients.finalWrite(() => (this.#written = true))
    for (let at = endMs; at <= healMs + HEAL_MS; at += POLL_MS) {
      if (await this.#until(at)) return this.#observer.violation
      if (this.#written && this.#difference() === undefined) return this.#judge(this.#clients.history)
    }
    const detail = this.#written ? this.#difference()! : 'no write succeeded after everything was healed'
    return { invariant: 'a healed cell converges', detail }
  }

  outcome(violation: Violation | undefined): Outcome {
    const ends = [...this.#nodes.values()].map((node) => node.describe())
    for (const node of this.#nodes.values()) node.crash(false)
    const { seed } = this.#options
    return {
      seed,
      violation,
      hash: this.#trace.hash,
      events: this.#trace.count,
      answered: this.#clients.history.filter(({ returned }) => returned !== undefined).length,
      elections: this.#observer.elections.length,
      committed: this.#observer.topChosen,
      lines: this.#options.verbose ? [...this.#trace.lines, ...ends] : [],
    }
  }

  /** @returns whether something was violated */
  #until(ms: number): Promise<boolean> {
    const time = this.#time
    // What was done between two of these counts too.
    time.isStirred = true
    return new Promise((resolve, reject) => {
      const calm = () => {
        time.isStirred = false
        next()
      }
      const next = () => {
        try {
          while (this.#observer.violation === undefined) {
            if (!time.step(ms)) return resolve(false)
            if (time.isStirred) return settled(calm)
          }
          resolve(true)
        } catch (failure) {
          reject(failure as Error)
        }
      }
      next()
    })
  }

  #judge(history: readonly Operation[]): Violation | undefined {
    const verdict = checkLinearizable(history)
    if (!verdict.ok) return { invariant: 'linearizability', detail: verdict.why }
    const refused = history.find(({ id }) => this.#clients.tries.get(id) === 0 && this.#observer.took(id))
    if (refused === undefined) return undefined
    return { invariant: 'what is refused never takes effect', detail: `${refused.id} was refused, and applied` }
  }

  // Members all: those that the one with the most applied counts as such.
  #difference(): string | undefined {
    const machines = [...this.#nodes.values()].filter(({ damaged }) => !damaged)
    const most = machines.reduce((a, b) => ((a.machine?.applied ?? 0) >= (b.machine?.applied ?? 0) ? a : b))
    const configuration = most.configuration
    if (configuration === undefined) return `${most.id} is down`
    const members = new Set([...configuration.voters, ...configuration.learners])
    for (const [id, isMember] of most.machine!.members) {
      const node = this.#nodes.get(id)!
      if (isMember && !node.damaged && !configuration.voters.includes(id)) return `${id} does not vote yet`
      if (!isMember && members.has(id)) return `${id} is still a member`
    }
    for (const { id, machine } of machines.filter(({ id }) => members.has(id))) {
      if (machine === undefined) return `${id} is down`
      if (machine.applied !== most.machine!.applied) {
        return `${id} has applied ${machine.applied}, ${most.id} ${most.machine!.applied}`
      }
      if (keyOf(machine.root()) !== keyOf(most.machine!.root())) {
        return this.#diverged(id, most.id)
      }
    }
    return undefined
  }

  #diverged(id: number, other: number): string {
    const detail = `${id} and ${other} have different states at one index`
    this.#observer.report('state machine safety', detail)
    return detail
  }

  #found(count: number): void {
    const voters = Array.from({ length: count }, (_, at) => at + 1)
    const configuration = { voters, learners: [], votersOutgoing: [], learnersNext: [] }
    for (let at = 0; at < count; at++) this.#addNode(1, configuration)
    for (const node of this.#nodes.values()) this.#time.after(this.#dice.between(0, 50), () => node.start())
  }

  /** @param index - 1 for a founder, who has the first state as a snapshot; 0 for a joiner, who has nothing */
  #addNode(index: number, configuration: Configuration): SimulatedNode {
    const state = initialState(index, configuration, this.#world.profile.isAgreed)
    const root = index === 0 ? new Uint8Array() : rootOf(state)
    const image = emptyImage(this.#nodes.size + 1, { index, term: index, configuration, root })
    const node = new SimulatedNode(this.#world, this.#dice.fork(), image, state)
    this.#nodes.set(node.id, node)
    return node
  }
}

/** Goes on when all promises that were settled have run: Node empties the microtasks before a next tick, not between two. */
function settled(next: () => void): void {
  process.nextTick(() => void SETTLED.then(next))
}

const SETTLED = Promise.resolve()
