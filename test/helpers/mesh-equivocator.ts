import { buildBlock, proposerOf, type FinalEpoch, type MeshState } from '../../consensus/epoch/index.ts'
import { headerCodec, partsCodec, valueOf } from '../../consensus/epoch/index.ts'
import { equalBytes } from '../../consensus/light/bytes.ts'
import { createEpochPorts } from '../../node/mesh/epoch-ports.ts'
import type { ProposedBlock } from '../../consensus/mesh/index.ts'
import type { BftFrame } from '../../protocols/bft/codec.ts'
import { blockParts } from '../../protocols/bft/envelopes.ts'
import { decodeMessage } from '../../wasm/bft/messages.ts'
import type { VoteKind } from '../../wasm/bft/types.ts'
import type { MeshMember } from './mesh-member.ts'

/** Votes for a value and for none, and proposes two values, wherever it has a say; each to all, in another order. */
export class Equivocator {
  readonly #member: MeshMember
  /** heights, rounds and kinds of what it said twice */
  readonly said = new Set<string>()
  readonly #end: () => void

  constructor(member: MeshMember) {
    this.#member = member
    member.onFrame((_from, frame) => void this.#heard(frame))
    this.#end = member.record.onFinal((final, state) => void this.#propose(final, state))
  }

  stop(): void {
    this.#end()
    this.#member.onFrame(() => undefined)
  }

  async #heard(frame: BftFrame): Promise<void> {
    if (frame.type !== 'message') return
    const message = decodeMessage(frame.bytes)
    if (message.type !== 'vote' || message.value === undefined) return
    const { kind, height, round, value } = message
    if (height === this.#member.state.height + 1) await this.#vote(kind, height, round, value)
  }

  async #vote(kind: VoteKind, height: number, round: number, value: Uint8Array): Promise<void> {
    if (!this.#isFirst(kind, height, round)) return
    const { pen, record } = this.#member
    const extension = kind === 'precommit' ? record.application.extension() : undefined
    const both = [
      pen.vote({ kind, height, round, value }, extension),
      pen.vote({ kind, height, round, value: undefined }),
    ]
    await this.#sayBoth(height, both)
  }

  async #propose({ certificate }: FinalEpoch, state: MeshState): Promise<void> {
    const { pen } = this.#member
    const [height, round] = [state.height + 1, 0]
    const proposer = proposerOf(state.validators, height, round)
    const isExtended = certificate.signatures.every(({ extension }) => extension !== undefined)
    if (!equalBytes(proposer, pen.key) || !isExtended || !this.#isFirst('proposal', height, round)) return
    const blocks = this.#blocks(state, certificate, proposer)
    await this.#sayBoth(
      height,
      blocks.map(({ value }) => pen.proposal({ height, round, value })),
    )
    for (const block of blocks) for (const { frame } of blockParts(height, round, block)) await this.#member.say(frame)
  }

  /** Two of one height, neither with any report: they need not be valid to contradict each other. */
  #blocks(state: MeshState, certificate: FinalEpoch['certificate'], proposer: Uint8Array): ProposedBlock[] {
    const nothing = { reports: [], attestations: [], governance: [], evidence: [] }
    const ports = createEpochPorts(state.mesh)
    const { bytes, block } = buildBlock(state, nothing, certificate, { round: 0, proposer }, ports)
    const header = headerCodec.encode({ ...block.header, time: block.header.time + 1 })
    const other = partsCodec.encode({ ...partsCodec.decode(bytes), header })
    return [
      { value: block.value, bytes },
      { value: valueOf(header), bytes: other },
    ]
  }

  async #sayBoth(height: number, both: readonly Uint8Array[]): Promise<void> {
    for (const [at, to] of this.#member.connected.entries())
      for (const bytes of at % 2 === 0 ? both : both.toReversed())
        await this.#member.say({ type: 'message', height, bytes }, [to])
  }

  #isFirst(...what: (string | number)[]): boolean {
    const name = what.join(' ')
    if (this.said.has(name)) return false
    this.said.add(name)
    return true
  }
}
