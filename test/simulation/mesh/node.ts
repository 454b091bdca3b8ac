import { stateCodec, type MeshState } from '../../../consensus/epoch/index.ts'
import type { Dice } from '../dice.ts'
import { MeshDisk } from './disk.ts'
import { CREATED, type Identity } from './keys.ts'
import type { Liar } from './liar.ts'
import { begin, type Life } from './life.ts'
import type { Packet } from './packets.ts'
import type { World } from './world.ts'

export type Role = 'honest' | 'twin' | 'liar'

const LEAST_MS = 0.01

export interface NodeInit {
  readonly world: World
  readonly id: number
  readonly identity: Identity
  readonly role: Role
  readonly dice: Dice
  readonly liar: Liar | undefined
}

/** A node with the product's own driver, application and engine, on a virtual disk, clock and network. */
export class MeshNode {
  readonly id: number
  readonly identity: Identity
  readonly role: Role
  readonly dice: Dice
  readonly liar: Liar | undefined
  readonly disk: MeshDisk
  flushFactor = 1
  /** steps of its ports until its process ends, 0 for never */
  armed = 0
  life: Life | undefined
  readonly #world: World
  readonly #rate: number
  #skewMs: number
  #paused = false
  #backlog: (() => void)[] = []

  constructor({ world, id, identity, role, dice, liar }: NodeInit) {
    this.#world = world
    this.id = id
    this.identity = identity
    this.role = role
    this.dice = dice
    this.liar = liar
    this.disk = new MeshDisk(dice.fork())
    const { clockDrift, clockSkewMs } = world.profile
    this.#rate = 1 + dice.between(-clockDrift, clockDrift)
    this.#skewMs = dice.between(-clockSkewMs, clockSkewMs)
  }

  get isHonest(): boolean {
    return this.role === 'honest'
  }

  get isPaused(): boolean {
    return this.#paused
  }

  /** of the last epoch that is final here */
  get height(): number {
    return this.disk.image.chain.length
  }

  get state(): MeshState {
    return this.stateAt(this.height)
  }

  stateAt(height: number): MeshState {
    const epoch = this.disk.image.chain[height - 1]
    return epoch === undefined ? this.#world.genesis : stateCodec.decode(epoch.state)
  }

  start(): void {
    if (this.life !== undefined) return
    const { world, ...self } = { world: this.#world, id: this.id }
    world.trace.note('start', world.time.now, self.id)
    this.armed = 0
    if (this.liar?.does('amnesia') === true) this.disk.image.records = []
    world.observer.opened(this)
    this.life = begin(this.#world, this)
    this.life.reporting.enter()
    this.life.following.watch()
  }

  crash(): void {
    const { life } = this
    if (life === undefined) return
    this.#world.trace.note('crash', this.#world.time.now, this.id)
    life.isAlive = false
    this.life = undefined
    this.#paused = false
    this.#backlog = []
    this.disk.crash()
    // Its engine is freed; it may be at work at this moment.
    this.#world.time.later(0, () => void life.mesh.stop())
  }

  pause(): void {
    if (this.life !== undefined) this.#paused = true
  }

  resume(): void {
    this.#paused = false
    this.#backlog.splice(0).forEach((run, at) => this.#world.time.later(at * LEAST_MS, run))
  }

  jump(ms: number): void {
    this.#skewMs += ms
  }

  /** what the clock on its wall shows, Unix ms */
  get now(): number {
    return CREATED + 1000 + this.elapsed + this.#skewMs
  }

  /** of its own milliseconds */
  get elapsed(): number {
    return this.#world.time.now * this.#rate
  }

  /** After this many of the node's own milliseconds; never when the process has ended by then, later when it is paused. */
  after(life: { isAlive: boolean }, ms: number, run: () => void): () => void {
    let wanted: (() => void) | undefined = run
    const due = () => {
      if (!life.isAlive) return
      if (this.#paused) this.#backlog.push(due)
      else wanted?.()
    }
    // Less than time can tell apart would never pass.
    this.#world.time.later(ms > 0 ? Math.max(ms / this.#rate, LEAST_MS) : 0, due)
    return () => (wanted = undefined)
  }

  /** To all others but those of the same key; the process may end between two. */
  sayToAll(life: { isAlive: boolean }, packet: Packet): void {
    for (const node of this.others) {
      if (!life.isAlive) return
      this.say(node, packet)
    }
  }

  get others(): MeshNode[] {
    return this.#world.nodes.filter(({ identity }) => identity !== this.identity)
  }

  say(to: MeshNode, packet: Packet): void {
    const { network, trace, time } = this.#world
    network.send(this.id, to.id, () => {
      trace.note(packet.type, time.now, this.id, to.id)
      to.receive(this, packet)
    })
  }

  receive(from: MeshNode, packet: Packet): void {
    const { life } = this
    if (life === undefined) return
    if (this.#paused) this.#backlog.push(() => life.isAlive && this.receive(from, packet))
    else this.#take(life, from, packet)
  }

  /** Where a process may end: at either side of whatever its ports do. @returns whether it goes on */
  step(life: { isAlive: boolean }): boolean {
    if (life.isAlive && this.armed > 0 && --this.armed === 0) {
      this.#world.trace.note('crash at a step', this.#world.time.now, this.id)
      this.crash()
    }
    return life.isAlive
  }

  describe(): string {
    const { status } = this.life?.mesh ?? {}
    const where = status === undefined ? 'down' : `${status.step} ${status.height}/${status.round}`
    return `node ${this.id} (${this.role} ${this.identity.number}) ${where}, ${this.height} final`
  }

  #take(life: Life, from: MeshNode, packet: Packet): void {
    const { key } = from.identity
    const { application, mesh, reporting, following } = life
    if (packet.type === 'message') mesh.receive(key, packet.height, packet.bytes)
    else if (packet.type === 'block') mesh.receiveBlock(packet.height, packet.round, packet.block)
    else if (packet.type === 'want-block') this.#giveBlock(from, packet)
    else if (packet.type === 'report') reporting.take(packet.bytes)
    else if (packet.type === 'want-reports') reporting.give(from, packet.epoch, packet.digests)
    else if (packet.type === 'governance') application.pending.putGovernance(packet.bytes)
    else if (packet.type === 'attestation') application.pending.putAttestation(packet.bytes)
    else if (packet.type === 'want-epochs') following.give(from, packet.from, packet.ticket)
    else following.take(packet.epochs, packet.ticket)
  }

  #giveBlock(to: MeshNode, { height, value }: Extract<Packet, { type: 'want-block' }>): void {
    const bytes = this.disk.block(height, value)
    if (bytes !== undefined) this.say(to, { type: 'block', height, round: 0, block: { value, bytes } })
  }
}
