import type { Configuration, CreateEngine, InMessage } from '../../consensus/cell/engine.ts'
import type { Clock } from '../../consensus/cell/ports.ts'
import type { Answer, Door } from './clients.ts'
import type { Command } from './commands.ts'
import type { Dice } from './dice.ts'
import { Disk, type Image } from './disk.ts'
import type { Blocks, MachineImage, State } from './machine.ts'
import { keyOf, machineImage, Registers } from './machine.ts'
import type { Member, MemberPorts, Mutant } from './member.ts'
import type { Network } from './network.ts'
import type { Observer } from './observer.ts'
import type { Profile } from './options.ts'
import { observedEngine, simulatedTransport, stirringLog, watchedMachine } from './ports.ts'
import type { VirtualTime } from './time.ts'
import type { Trace } from './trace.ts'

/** What all nodes of a schedule have in common. */
export interface World {
  readonly time: VirtualTime
  readonly trace: Trace
  readonly network: Network
  readonly observer: Observer
  readonly profile: Profile
  readonly createEngine: CreateEngine
  readonly createMember: (ports: MemberPorts) => Member
  readonly mutant: Mutant | undefined
  readonly node: (id: number) => SimulatedNode | undefined
}

/** One machine: disk, clock and state outlive the process that a crash ends. */
export class SimulatedNode implements Door {
  readonly id: number
  readonly disk: Disk
  readonly #machineImage: MachineImage
  readonly blocks: Blocks = new Map()
  /** damaged for good: it must never take part again */
  damaged = false
  /** its disk refused a write: from the next moment on it must not say another word */
  silent = false
  #failedAt = Infinity
  flushFactor = 1
  #member: Member | undefined
  #machine: Registers | undefined
  #life = 0
  #paused = false
  #backlog: (() => void)[] = []
  #jumpMs = 0
  readonly #rate: number
  readonly #dice: Dice
  readonly #world: World

  constructor(world: World, dice: Dice, image: Image, state: State) {
    this.#world = world
    this.#dice = dice
    this.id = image.id
    this.#rate = 1 + dice.between(-world.profile.clockDrift, world.profile.clockDrift)
    this.disk = new Disk(image, {
      after: this.after.bind(this),
      dice,
      flushMs: () => this.#flushMs(),
      failed: () => this.#failed(),
      backwards: () => world.observer.report('snapshots go forward', `${this.id} writes an older one than it has`),
    })
    this.#machineImage = machineImage(state)
    if (state.index > 0) this.blocks.set(keyOf(image.snapshot.root), state)
  }

  get up(): boolean {
    return this.#member !== undefined
  }

  get paused(): boolean {
    return this.#paused
  }

  /** Its disk has failed, and the moment in which it did is over. */
  get isMute(): boolean {
    return this.silent && this.#world.time.now > this.#failedAt
  }

  get member(): Member | undefined {
    return this.#member
  }

  get machine(): Registers | undefined {
    return this.#machine
  }

  get configuration(): Configuration | undefined {
    return this.#machine?.configuration
  }

  /** for who reads a failing seed */
  describe(): string {
    const status = this.#member?.status()
    const state = this.damaged ? 'damaged' : !this.up ? 'down' : this.silent ? 'stopped' : (status?.role ?? 'starting')
    const { voters, learners } = this.configuration ?? {}
    const log = `log ${this.disk.image.snapshot.index}+${this.disk.image.entries.length}`
    const place = status === undefined ? '' : `leader ${status.leader} term ${status.term} commit ${status.commit}`
    const progress = (status?.progress ?? []).map(({ id, match }) => `${id}:${match}`).join()
    return `node ${this.id} ${state} ${place} applied ${this.#machine?.applied} ${log} voters ${voters} + ${learners} ${progress}`
  }

  start(): void {
    if (this.up) return
    this.silent = false
    const life = ++this.#life
    const member = this.#assemble()
    this.#member = member
    this.#world.trace.note('start', this.#world.time.now, this.id)
    member.start().then(
      () => {
        if (this.damaged && life === this.#life) {
          this.#world.observer.report('damage is detected', `${this.id} starts on a log with a flipped bit`)
        }
      },
      (thrown: unknown) => {
        if (!this.damaged && life === this.#life)
          this.#world.observer.report('starts again', `${this.id}: ${String(thrown)}`)
        if (life === this.#life) this.#end()
      },
    )
  }

  crash(tear: boolean): void {
    if (!this.up) return
    this.#world.trace.note('crash', this.#world.time.now, this.id)
    this.#end()
    this.disk.crash(tear)
  }

  flipBit(): void {
    if (!this.up && this.disk.flipBit()) this.damaged = true
  }

  pause(): void {
    this.#paused = true
  }

  resume(): void {
    this.#paused = false
    const backlog = this.#backlog
    this.#backlog = []
    for (const run of backlog) this.#world.time.after(0, run)
  }

  jump(ms: number): void {
    this.#jumpMs += ms
  }

  /** After this many of the node's own milliseconds; never when the process has ended by then, later when it is paused. */
  after(ms: number, run: () => void): () => void {
    const life = this.#life
    let wanted: (() => void) | undefined = run
    const alive = () => {
      if (life !== this.#life) return
      if (this.#paused) this.#backlog.push(alive)
      else wanted?.()
    }
    // At once is what a member does with what it received: that goes through its ports.
    this.#world.time.later(ms / this.#rate, alive, ms === 0)
    return () => (wanted = undefined)
  }

  receive(message: InMessage): void {
    if (!this.up) return
    if (this.#paused) {
      const life = this.#life
      this.#backlog.push(() => life === this.#life && this.receive(message))
      return
    }
    this.#world.trace.note('receive', this.#world.time.now, message.from, this.id)
    this.#member?.receive(message)
  }

  execute(command: Command, id: string, data: Uint8Array): Promise<Answer> {
    if (this.#paused || this.#member === undefined) return never()
    this.#world.trace.note(id, this.#world.time.now, this.id, command.value)
    return this.#alive(this.#member.execute(id, data))
  }

  async read(key: number): Promise<Answer> {
    const machine = this.#machine
    if (this.#paused || this.#member === undefined || machine === undefined) return never()
    if (!(await this.#alive(this.#member.readable()))) return { kind: 'unknown' }
    return { kind: 'done', result: machine.registers.get(key) ?? 0 }
  }

  /** A process that has ended answers nobody. */
  async #alive<T>(answer: Promise<T>): Promise<T> {
    const life = this.#life
    const given = await answer
    return life === this.#life ? given : never()
  }

  #assemble(): Member {
    const { observer, createMember, mutant, profile } = this.#world
    const machine = new Registers(this.#machineImage, this.blocks, {
      after: this.after.bind(this),
      flushMs: () => this.#flushMs(),
      effect: (id, index) => observer.effect(id, index),
      agreed: (index, root, wrong) => observer.agreed(this.id, index, root, wrong),
    })
    this.#machine = machine
    observer.opened(this.id, machine.applied)
    const honest: MemberPorts = {
      id: this.id,
      createEngine: observedEngine(this, this.#world),
      log: stirringLog(this.disk.open(), this.#world),
      machine: watchedMachine(this.id, machine, this.#world),
      transport: simulatedTransport(this, this.#world),
      clock: this.#clock(),
      desired: () => [...machine.members].map(([id, isMember]) => ({ id, isRemoved: !isMember })),
      snapshotEvery: profile.snapshotEvery,
      keepEntries: profile.keepEntries,
      retryMs: profile.retryMs,
      trapped: (cause) => observer.report('the engine never traps', `${this.id}: ${String(cause)}`),
      stopped: (cause) => this.#stopped(cause),
      seed: this.#dice.whole(0, 2 ** 32 - 1),
    }
    const ports = mutant?.ports?.(honest, this) ?? honest
    const member = createMember(ports)
    return mutant?.member?.(member, ports) ?? member
  }

  #clock(): Clock {
    return {
      now: () => this.#world.time.now * this.#rate + this.#jumpMs,
      after: (ms, run) => this.after(ms, run),
    }
  }

  #flushMs(): number {
    return 0.2 + this.#dice.exponential(this.#world.profile.flushMs) * this.flushFactor
  }

  #failed(): void {
    this.silent = true
    this.#failedAt = this.#world.time.now
  }

  #stopped(cause: unknown): void {
    if (!this.silent) this.#world.observer.report('stops only for its disk', `${this.id}: ${String(cause)}`)
  }

  #end(): void {
    const member = this.#member
    this.#life++
    this.#paused = false
    this.#backlog = []
    this.#member = undefined
    this.#machine = undefined
    member?.kill()
  }
}

function never<T>(): Promise<T> {
  return new Promise(() => undefined)
}
