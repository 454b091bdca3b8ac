import type { Bft } from '../../../wasm/bft/load.ts'
import { decodeMessage, encodeMessage } from '../../../wasm/bft/messages.ts'
import { extensionBytes, proposalBytes, voteBytes } from '../../../wasm/bft/signed-bytes.ts'
import {
  type BftMessage,
  type CommitCertificate,
  type Engine,
  type EngineEffect,
  type EngineHost,
  type EngineInput,
  EngineRefusal,
  type Proposal,
  type Timeout,
  type Validator,
  type Vote,
} from '../../../wasm/bft/types.ts'

export const MESH = new Uint8Array(36).fill(0x42)
export const HEIGHT = 7

export const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')
export const valueOf = (...tag: number[]): Uint8Array => Uint8Array.from({ length: 36 }, (_, at) => tag[at] ?? 9)
export const seedOf = (n: number): Uint8Array => new Uint8Array(32).fill(n + 1)

export const HOST: EngineHost = {
  extension: (round, value) => Uint8Array.of(round, ...value.subarray(0, 3)),
  isExtension: (_validator, bytes) => bytes.length > 0,
}

/** Whatever it is asked, it never says the same twice. */
export function restless(): EngineHost & { asked: string[] } {
  const asked: string[] = []
  const extension = (round: number, value: Uint8Array) => {
    asked.push(`${round} ${hex(value)}`)
    return Uint8Array.of(asked.length)
  }
  return { ...HOST, extension, asked }
}

/** Seeds and keys of a set, in the order of the keys. */
export function keysOf(bft: Bft, count: number): { seed: Uint8Array; key: Uint8Array }[] {
  const keys = Array.from({ length: count }, (_, n) => ({ seed: seedOf(n), key: bft.publicKey(seedOf(n)) }))
  return keys.sort((a, b) => Buffer.compare(a.key, b.key))
}

export interface Member {
  readonly at: number
  readonly key: Uint8Array
  readonly seed: Uint8Array
  readonly log: Uint8Array[]
  readonly published: Uint8Array[]
  timeouts: Timeout[]
  engine: Engine
  round: number
  decided: CommitCertificate | undefined
  readonly evidence: Extract<EngineEffect, { type: 'equivocation' }>['evidence'][]
  readonly effects: EngineEffect[]
}

interface MeshInit {
  readonly count?: number
  readonly height?: number
  readonly powers?: readonly number[]
  /** members that take and say nothing */
  readonly silent?: readonly number[]
  readonly host?: EngineHost
}

/** Validators of one height in one process, whose messages arrive at once and in order. */
export class BftMesh {
  readonly bft: Bft
  readonly height: number
  readonly members: Member[]
  readonly validators: Validator[]
  readonly #host: EngineHost
  readonly #silent: ReadonlySet<number>
  /** what is under way: from whom, and to whom */
  readonly #wire: { from: number; bytes: Uint8Array }[] = []
  readonly #building: (() => void)[] = []
  /** called for every record that a member is about to log; true crashes it before the record is durable */
  onLog: (member: Member, record: Uint8Array) => boolean = () => false
  /** whether a message arrives */
  carries: (from: number, to: number, message: BftMessage) => boolean = () => true
  readonly #blocks: Extract<EngineInput, { type: 'block' }>[] = []

  constructor(bft: Bft, { count = 4, height = HEIGHT, powers, silent = [], host = HOST }: MeshInit = {}) {
    this.bft = bft
    this.height = height
    this.#host = host
    this.#silent = new Set(silent)
    const keys = keysOf(bft, count)
    this.validators = keys.map(({ key }, at) => ({ key, power: powers?.[at] ?? 1 }))
    this.members = keys.map(({ seed, key }, at) => {
      const engine = this.createEngine(seed)
      const state = { log: [], published: [], timeouts: [], round: -1, decided: undefined, evidence: [], effects: [] }
      return { at, seed, key, engine, ...state }
    })
  }

  createEngine(seed: Uint8Array, log: readonly Uint8Array[] = [], host = this.#host): Engine {
    const { height, validators } = this
    return this.bft({ mesh: MESH, height, validators, seed, log }, host)
  }

  start(): void {
    this.begin()
    this.settle()
  }

  /** Nothing that is said arrives before the next {@link settle}. */
  begin(): void {
    for (const member of this.members) this.input(member, { type: 'start' })
  }

  /** Gives an input and does what follows, but for what goes to others: that waits for {@link settle}. */
  input(member: Member, input: EngineInput): void {
    if (this.#silent.has(member.at)) return
    for (const effect of member.engine.input(input)) {
      if (effect.type === 'log' && this.onLog(member, effect.record)) return this.restart(member)
      this.#do(member, effect)
    }
  }

  /** Who proposes in round 0, and who after it. */
  get proposers(): Member[] {
    const { proposer } = this.members[0]!.effects.find((effect) => effect.type === 'round')!
    const first = this.members.findIndex(({ key }) => hex(key) === hex(proposer))
    return [...this.members.slice(first), ...this.members.slice(0, first)]
  }

  /** Begins anew from the log. */
  restart(member: Member): void {
    member.engine.free()
    member.engine = this.createEngine(member.seed, member.log)
    member.timeouts = []
    this.input(member, { type: 'start' })
  }

  /** Carries every message to every other member, until nobody has anything to say. */
  settle(): void {
    for (let sent = this.#next(); sent !== undefined; sent = this.#next()) {
      for (const to of this.members) if (this.#arrives(sent, to)) this.hear(to, sent.bytes)
    }
  }

  #arrives({ from, bytes }: { from: number; bytes: Uint8Array }, to: Member): boolean {
    return to.at !== from && this.carries(from, to.at, decodeMessage(bytes))
  }

  #next(): { from: number; bytes: Uint8Array } | undefined {
    for (const build of this.#building.splice(0)) build()
    return this.#wire.shift()
  }

  hear(member: Member, bytes: Uint8Array): string | undefined {
    try {
      this.input(member, { type: 'message', bytes })
      return undefined
    } catch (error) {
      if (error instanceof EngineRefusal) return error.code
      throw error
    }
  }

  /** The timers of a kind of all members run out. */
  elapse(kind: Timeout['kind']): void {
    for (const member of this.members) {
      const due = member.timeouts.filter((timeout) => timeout.kind === kind)
      member.timeouts = member.timeouts.filter((timeout) => timeout.kind !== kind)
      for (const timeout of due) this.input(member, { type: 'timeout', timeout })
    }
    this.settle()
  }

  vote(at: number, fields: Partial<Vote> = {}): Vote {
    const { seed, key } = this.members[at]!
    const vote = { kind: 'prevote', height: this.height, round: 0, value: valueOf(1), ...fields } as const
    const signature = this.bft.sign(seed, voteBytes(MESH, vote))
    const extension = vote.kind === 'precommit' && vote.value !== undefined ? this.#extension(at, vote) : undefined
    return { type: 'vote', validator: key, signature, extension, ...vote }
  }

  #extension(at: number, { height, round, value }: Pick<Vote, 'height' | 'round' | 'value'>): Vote['extension'] {
    const { seed, key } = this.members[at]!
    const bytes = Uint8Array.of(1)
    const signed = extensionBytes(MESH, { height, round, value: value!, validator: key }, bytes)
    return { bytes, signature: this.bft.sign(seed, signed) }
  }

  proposal(at: number, fields: Partial<Proposal> = {}): Proposal {
    const { seed, key } = this.members[at]!
    const proposal = { height: this.height, round: 0, value: valueOf(1), polRound: -1, ...fields }
    const signature = this.bft.sign(seed, proposalBytes(MESH, proposal))
    return { type: 'proposal', validator: key, signature, ...proposal }
  }

  say(member: Member, message: BftMessage): string | undefined {
    return this.hear(member, encodeMessage(message))
  }

  /** Lets timers run out until all that say anything have decided, but for one. @throws when they never do */
  decide(but?: Member): CommitCertificate[] {
    const members = this.members.filter((member) => member !== but && !this.#silent.has(member.at))
    this.settle()
    for (let turn = 0; turn < 8; turn++) {
      if (members.every(({ decided }) => decided !== undefined)) return members.map(({ decided }) => decided!)
      for (const kind of ['rebroadcast', 'propose', 'prevote', 'precommit'] as const) this.elapse(kind)
    }
    throw new Error('no progress')
  }

  /** Shows a member all that the others have said and built. */
  catchUp(member: Member): void {
    for (const block of this.#blocks) this.input(member, block)
    for (const { published } of this.members) for (const bytes of published) this.hear(member, bytes)
    this.settle()
  }

  free(): void {
    for (const { engine } of this.members) engine.free()
  }

  #do(member: Member, effect: EngineEffect): void {
    member.effects.push(effect)
    switch (effect.type) {
      case 'log':
        member.log.push(effect.record)
        break
      case 'publish':
        member.published.push(effect.bytes)
        this.#wire.push({ from: member.at, bytes: effect.bytes })
        break
      case 'timeout':
        member.timeouts.push(effect.timeout)
        break
      case 'cancelTimeouts':
        member.timeouts = []
        break
      case 'round':
        member.round = effect.round
        break
      case 'getValue':
        this.#building.push(() => this.#propose(member, effect.round))
        break
      case 'decide':
        member.decided = effect.certificate
        break
      case 'equivocation':
        member.evidence.push(effect.evidence)
        break
      case 'restream':
    }
  }

  /** Its block is with everybody before its proposal; none is built twice in the same way. */
  #propose(member: Member, round: number): void {
    const value = valueOf(1 + member.at, round, this.height, this.#blocks.length)
    const block = { type: 'block', round, validRound: -1, proposer: member.key, value, valid: true } as const
    this.#blocks.push(block)
    for (const other of this.members) if (other !== member) this.input(other, block)
    this.input(member, { type: 'propose', round, value })
  }
}

/** @returns what a member said that contradicts something else it said */
export function contradictions({ key, published }: Member): string[] {
  const said = new Map<string, string>()
  return published.flatMap((bytes) => {
    const message = decodeMessage(bytes)
    if (!('validator' in message) || hex(message.validator) !== hex(key)) return []
    const place = `${message.type} ${'kind' in message ? message.kind : ''} ${message.round}`
    const before = said.get(place)
    said.set(place, hex(bytes))
    return before === undefined || before === hex(bytes) ? [] : [place]
  })
}
