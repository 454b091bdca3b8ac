import {
  buildBlock,
  headerCodec,
  openBlock,
  partsCodec,
  proposerOf,
  valueOf,
  type FinalEpoch,
  type MeshState,
} from '../../consensus/epoch/index.ts'
import { equalBytes } from '../../consensus/light/bytes.ts'
import { createEpochPorts } from '../../node/mesh/epoch-ports.ts'
import type { ProposedBlock } from '../../consensus/mesh/index.ts'
import type { BftFrame } from '../../protocols/bft/codec.ts'
import { blockParts } from '../../protocols/bft/envelopes.ts'
import { decodeMessage } from '../../wasm/bft/messages.ts'
import type { Vote, VoteKind } from '../../wasm/bft/types.ts'
import type { MeshMember } from './mesh-member.ts'

const KINDS = ['prevote', 'precommit'] as const

type Place = Pick<Vote, 'height' | 'round'>
type Both<T> = readonly [one: T, other: T]
type Certificate = FinalEpoch['certificate']

/** How it contradicts itself. */
export interface Telling {
  /** @returns what of both the peers of one half are told, in order */
  tell<T>(both: Both<T>, half: 0 | 1, what: 'vote' | 'block'): readonly T[]
  /** Two of one height; undefined where it cannot. */
  blocks(member: MeshMember, certificate: Certificate): Promise<Both<ProposedBlock> | undefined>
}

/** Everybody is told both, in another order: neither block has any report, for none need be valid to contradict the other. */
export const toAll: Telling = {
  tell: (both, half) => (half === 0 ? both : both.toReversed()),
  async blocks({ state, pen }, certificate) {
    const nothing = { reports: [], attestations: [], governance: [], evidence: [] }
    const ports = createEpochPorts(state.mesh)
    const { bytes, block } = buildBlock(state, nothing, certificate, { round: 0, proposer: pen.key }, ports)
    const header = headerCodec.encode({ ...block.header, time: block.header.time + 1 })
    const other = partsCodec.encode({ ...partsCodec.decode(bytes), header })
    return [
      { value: block.value, bytes },
      { value: valueOf(header), bytes: other },
    ]
  },
}

/**
 * Each half is given one of two blocks, and never the other; both are valid: one has a motion of its own more. Of its votes
 * the one half hears one, and the other both: who splits these too is found only when the halves meet in a later round.
 */
export const toHalves: Telling = {
  tell: (both, half, what) => (what === 'vote' && half === 1 ? both : [both[half]]),
  async blocks({ state, pen, record }, certificate) {
    const one = await record.application.propose(0, AbortSignal.timeout(5_000)).catch(() => undefined)
    const read = one && openBlock(one.bytes)
    if (one === undefined || typeof read !== 'object') return undefined
    const change = { type: 'policy-set', policy: { idleEpochMs: 60_000 + state.height } }
    const move = { kind: 'move', at: state.height, change, expires: state.height + 2, effectiveAt: 0 }
    const by = { round: 0, proposer: pen.key }
    const pending = { ...read, governance: [pen.command(move)] }
    const { bytes, block } = buildBlock(state, pending, certificate, by, createEpochPorts(state.mesh))
    return [one, { value: block.value, bytes }]
  },
}

/** Votes for a value and for none, and proposes two values, wherever it has a say. */
export class Equivocator {
  readonly #member: MeshMember
  readonly #telling: Telling
  /** heights, rounds and kinds of what it said twice */
  readonly said = new Set<string>()
  readonly #halves = new Map<string, 0 | 1>()
  readonly #end: () => void

  constructor(member: MeshMember, telling: Telling = toAll) {
    this.#member = member
    this.#telling = telling
    member.onFrame((_from, frame) => void this.#heard(frame))
    this.#end = member.record.onFinal((final, state) => void this.#propose(final, state))
  }

  stop(): void {
    this.#end()
    this.#member.onFrame(() => undefined)
  }

  /** At once when something is proposed: whoever speaks first is in the certificates of the others. */
  async #heard(frame: BftFrame): Promise<void> {
    if (frame.type !== 'message') return
    const message = decodeMessage(frame.bytes)
    if (message.type !== 'vote' && message.type !== 'proposal') return
    if (message.value === undefined || message.height !== this.#member.state.height + 1) return
    const kinds = message.type === 'vote' ? [message.kind] : KINDS
    for (const kind of kinds) await this.#vote(kind, message, [message.value, undefined])
  }

  async #vote(kind: VoteKind, { height, round }: Place, values: Both<Uint8Array | undefined>): Promise<void> {
    if (!this.#isFirst(kind, height, round)) return
    const { pen, record } = this.#member
    const extension = kind === 'precommit' ? record.application.extension() : undefined
    const votes = both(values, (value) => [framed(height, pen.vote({ kind, height, round, value }, extension))])
    await this.#say('vote', votes)
  }

  async #propose({ certificate }: FinalEpoch, state: MeshState): Promise<void> {
    const { pen } = this.#member
    const [height, round] = [state.height + 1, 0]
    const isExtended = certificate.signatures.every(({ extension }) => extension !== undefined)
    if (!equalBytes(proposerOf(state.validators, height, round), pen.key) || !isExtended) return
    const blocks = await this.#telling.blocks(this.#member, certificate)
    if (blocks === undefined || !this.#isFirst('proposal', height, round)) return
    await this.#say(
      'block',
      both(blocks, ({ value }) => [framed(height, pen.proposal({ height, round, value }))]),
    )
    const parts = both(blocks, (block) => blockParts(height, round, block).map(({ frame }) => frame))
    await this.#say('block', parts)
    const values = both(blocks, ({ value }) => value)
    for (const kind of KINDS) await this.#vote(kind, { height, round }, values)
  }

  /** Some frames, or others. */
  async #say(what: 'vote' | 'block', both: Both<readonly BftFrame[]>): Promise<void> {
    for (const to of this.#member.connected)
      for (const frame of this.#telling.tell(both, this.#halfOf(to), what).flat()) await this.#member.say(frame, [to])
  }

  /** One peer stays in one half, whoever comes and goes. */
  #halfOf(peer: string): 0 | 1 {
    const half = this.#halves.get(peer) ?? (this.#halves.size % 2 === 0 ? 0 : 1)
    this.#halves.set(peer, half)
    return half
  }

  #isFirst(...what: (string | number)[]): boolean {
    const name = what.join(' ')
    if (this.said.has(name)) return false
    this.said.add(name)
    return true
  }
}

function both<T, U>([one, other]: Both<T>, as: (each: T) => U): Both<U> {
  return [as(one), as(other)]
}

function framed(height: number, bytes: Uint8Array): BftFrame {
  return { type: 'message', height, bytes }
}
