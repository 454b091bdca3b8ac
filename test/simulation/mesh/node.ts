import {
  certificateCodec,
  checkFinal,
  EpochApplication,
  extensionCodec,
  openBlock,
  proposerOf,
  stateCodec,
  type MeshState,
} from '../../../consensus/epoch/index.ts'
import { equalBytes } from '../../../consensus/light/bytes.ts'
import {
  Mesh,
  type Application,
  type MeshEvents,
  type ProposedBlock,
  type Transport,
  type Wal,
} from '../../../consensus/mesh/index.ts'
import { decodeMessage } from '../../../wasm/bft/messages.ts'
import type { Dice } from '../dice.ts'
import { MeshDisk, type OpenDisk } from './disk.ts'
import { Following } from './following.ts'
import { CREATED, type Identity } from './keys.ts'
import type { Liar } from './liar.ts'
import type { Packet } from './packets.ts'
import { Reporting } from './reporting.ts'
import type { World } from './world.ts'

export type Role = 'honest' | 'twin' | 'liar'

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

const LEAST_MS = 0.01
const NEVER = new Promise<never>(() => {})

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
    this.life = this.#assemble()
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
    return CREATED + 1000 + this.#world.time.now * this.#rate + this.#skewMs
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

  #assemble(): Life {
    const life = { isAlive: true, accused: new Set<number>(), failedAt: undefined } as unknown as {
      -readonly [K in keyof Life]: Life[K]
    }
    life.disk = this.disk.open({
      after: (ms, run) => void this.after(life, ms, run),
      flushMs: () => 0.2 + this.dice.exponential(this.#world.profile.flushMs) * this.flushFactor,
      step: () => this.step(life),
      failed: () => {
        life.failedAt ??= this.#world.time.now
        this.#world.trace.note('fsync fails', this.#world.time.now, this.id)
      },
    })
    life.application = this.#application(life)
    life.reporting = new Reporting(this.#world, this, life)
    life.following = new Following(this.#world, this, life, this.#world.mutant?.checkFinal ?? checkFinal)
    for (const named of this.disk.image.reports.values())
      for (const bytes of named.values()) life.application.reports.put(bytes)
    life.mesh = this.#mesh(life)
    return life
  }

  #application(life: Life): EpochApplication {
    const { genesis, keys, observer, mutant } = this.#world
    const last = this.disk.image.chain.at(-1)
    const isMutant = this.isHonest && mutant !== undefined
    let before = last === undefined ? genesis : stateCodec.decode(last.state)
    return new EpochApplication({
      state: before,
      certificate: last === undefined ? null : certificateCodec.decode(last.certificate),
      ports: (isMutant ? mutant.ports?.(keys.ports) : undefined) ?? keys.ports,
      store: life.disk.store,
      fetchReports: (epoch, missing, signal) => life.reporting.fetch(epoch, missing, signal),
      now: () => this.now,
      onFinal: ({ certificate }, state) => {
        observer.final(this, before, state, certificate)
        before = state
        life.reporting.enter()
      },
    })
  }

  #mesh(life: Life): Mesh {
    const { keys, mutant } = this.#world
    const mutated = this.isHonest ? mutant : undefined
    let named: readonly Uint8Array[] = []
    const wal: Wal = {
      read: (height) => (life.isAlive ? life.disk.read(height) : NEVER),
      append: (height, records) => {
        const reports = named
        named = []
        return life.disk.append(height, records, reports)
      },
    }
    const application = this.#watched(life, (reports) => (named = reports))
    return Mesh.start({
      mesh: keys.mesh,
      seed: this.identity.seed,
      key: this.identity.key,
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
      transport: this.#transport(life),
      clock: {
        now: () => this.#world.time.now * this.#rate,
        after: (ms, run) => this.after(life, ms, run),
      },
      events: this.#events(life),
    })
  }

  /** The application as `node/mesh/validating.ts` gives it to the driver: reports that a vote names are one write with it. */
  #watched({ application }: Life, onNamed: (reports: readonly Uint8Array[]) => void): Application {
    const { observer } = this.#world
    return {
      get height() {
        return application.height
      },
      get validators() {
        return application.validators
      },
      get isBusy() {
        return application.isBusy
      },
      propose: (round, signal) => application.propose(round, signal),
      check: async (block) => {
        const { head } = application.state
        const code = await application.check(block)
        observer.checked(this, head, block.value, code)
        return code
      },
      extension: () => {
        const bytes = application.extension()
        const digests = extensionCodec.decode(bytes).reports.map(([, digest]) => digest)
        onNamed(application.reports.read(application.height + 1, digests))
        return this.liar?.extension(bytes) ?? bytes
      },
      isExtension: (validator, bytes) => application.isExtension(validator, bytes),
      persist: (block) => application.persist(block),
      read: (value) => application.read(value),
      commit: (block, certificate) => application.commit(block, certificate),
      evidence: (equivocation) => application.evidence(equivocation),
    }
  }

  #transport(life: Life): Transport {
    const say = (packet: Packet): void => {
      if (!this.step(life)) return
      if (this.liar === undefined) this.sayToAll(life, packet)
      else this.liar.say(this, life, packet)
      this.step(life)
    }
    return {
      publish: (height, bytes) => {
        if (life.isAlive && this.isHonest) this.#world.observer.said(this, life, height, bytes, this.#world.time.now)
        say({ type: 'message', height, bytes })
      },
      publishBlock: (height, round, block: ProposedBlock) => say({ type: 'block', height, round, block }),
      requestBlock: (height, value) => say({ type: 'want-block', height, value }),
    }
  }

  #events(life: Life): MeshEvents {
    const { observer, trace, time, keys } = this.#world
    return {
      onRound: (height, round) => {
        trace.note('round', this.id, height, round)
        if (life.isAlive) observer.round(this, height, round)
      },
      onDecided: (height, { round }) => {
        trace.note('decided', this.id, height, round)
        observer.decided(this, height, round)
      },
      onSynced: (height) => trace.note('synced', time.now, this.id, height),
      onBehind: () => life.isAlive && life.following.begin(),
      onTrap: (cause) => observer.report('the engine never traps', `${this.id}: ${String(cause)}`),
      onRefused: (code, from) => {
        trace.note(code, this.id)
        observer.refused(this, code, from)
      },
      onInvalidBlock: (code, proposer) => {
        trace.note(code, this.id)
        observer.invalid(this, code, proposer)
      },
      onProposalFailed: (round, cause) => trace.note(`no proposal: ${String(cause)}`, time.now, this.id, round),
      onEquivocation: ({ first, second }) => {
        const { number } = keys.ofKey(first.validator)!
        trace.note('contradicts itself', time.now, this.id, number)
        if (!isSameValue(first.value, second.value)) life.accused.add(number)
        observer.accused(this, number)
      },
      onFatal: (cause) => life.isAlive && observer.fatal(this, life.failedAt !== undefined, cause),
    }
  }
}

function isSameValue(a: Uint8Array | undefined, b: Uint8Array | undefined): boolean {
  return a === undefined || b === undefined ? a === b : equalBytes(a, b)
}
