import {
  checkBlock,
  DOMAIN,
  hex,
  openBlock,
  stateCodec,
  totalPower,
  powerOf,
  voteBody,
  type MeshState,
} from '../../../consensus/epoch/index.ts'
import { equalBytes } from '../../../consensus/light/bytes.ts'
import type { CommitCertificate } from '../../../consensus/mesh/index.ts'
import { decodeMessage } from '../../../wasm/bft/messages.ts'
import type { Keys } from './keys.ts'
import type { Life } from './life.ts'
import type { MeshNode } from './node.ts'
import { ROUNDS_AFTER_HEAL } from './options.ts'

export interface MeshViolation {
  readonly invariant: string
  readonly detail: string
}

/** What no validator that keeps the rules sends (`node/mesh/validating.ts`). */
const FAULTS = new Set(['E_BFT_MESSAGE', 'E_BFT_SIGNATURE', 'E_BFT_CERTIFICATE', 'E_BFT_EXTENSION'])

interface Liveness {
  /** that was being decided when the mesh was whole again, and the furthest round of it */
  readonly height: number
  readonly round: number
}

/** Sees all that honest nodes do, and says the first thing that ought not to be. */
export class MeshObserver {
  violation: MeshViolation | undefined
  /** heights that somebody honest has decided */
  top = 0
  contradictions = 0
  lies = 0
  readonly #keys: Keys
  readonly #faulty: ReadonlySet<number>
  /** by height: the value that is final, and the state after it */
  readonly #finals = new Map<number, { readonly value: string; readonly state: Uint8Array; readonly by: number }>()
  readonly #finalAt = new Map<number, number>()
  readonly #said = new Map<string, Uint8Array>()
  readonly #verdicts = new Map<string, string>()
  /** heights at which somebody honest has precommitted */
  readonly #locked = new Set<number>()
  #liveness: Liveness | undefined

  /** @param faulty - numbers of those who need not keep the rules */
  constructor(keys: Keys, faulty: ReadonlySet<number>) {
    this.#keys = keys
    this.#faulty = faulty
  }

  report(invariant: string, detail: string): void {
    this.violation ??= { invariant, detail }
  }

  isFaulty(key: Uint8Array): boolean {
    const identity = this.#keys.ofKey(key)
    return identity === undefined || this.#faulty.has(identity.number)
  }

  /** A process begins on what its disk has. */
  opened(node: MeshNode): void {
    const final = this.#finalAt.get(node.id) ?? 0
    if (node.isHonest && node.height < final)
      this.report('what is final is durable', `${node.id} starts at ${node.height} and had ${final}`)
  }

  /** A message leaves an honest node. */
  said(node: MeshNode, { failedAt }: Life, height: number, bytes: Uint8Array, now: number): void {
    if (failedAt !== undefined && failedAt < now)
      this.report('who cannot write says nothing', `${node.id} goes on after a failed fsync`)
    const message = decodeMessage(bytes)
    if (message.type !== 'vote' && message.type !== 'proposal') return
    if (!equalBytes(message.validator, node.identity.key)) return
    const { round, value } = message
    const kind = message.type === 'vote' ? message.kind : 'proposal'
    const what = `${node.identity.number}'s ${kind} ${height}/${round}`
    const { image } = node.disk
    if (image.height !== height || !image.records.some((record) => equalBytes(record, bytes)))
      this.report('a record is durable before anything leaves', what)
    if (value !== undefined && node.disk.block(height, value) === undefined)
      this.report('a block is durable before its vote', what)
    const before = this.#said.get(what)
    if (before !== undefined && !equalBytes(before, bytes)) this.report('nobody honest signs twice', what)
    this.#said.set(what, bytes)
    if (kind === 'precommit' && value !== undefined) this.#locked.add(height)
  }

  /** An honest node has judged a block that follows on `head`. */
  checked(node: MeshNode, head: Uint8Array, value: Uint8Array, code = 'valid'): void {
    if (!node.isHonest) return
    const what = `${hex(head)}/${hex(value)}`
    const before = this.#verdicts.get(what) ?? code
    this.#verdicts.set(what, before)
    if (before !== code) this.report('validity is equal', `${node.id} says ${code}, another ${before}`)
  }

  /** An epoch is durable at a node. */
  final(node: MeshNode, before: MeshState, state: MeshState, certificate: CommitCertificate): void {
    if (!node.isHonest) return
    const { height, head } = state
    if (before.height !== height - 1) this.report('one epoch after another', `${node.id}: ${before.height}, ${height}`)
    this.#finalAt.set(node.id, height)
    this.top = Math.max(this.top, height)
    this.#checkCertificate(node, before, head, certificate)
    const bytes = stateCodec.encode(state)
    const known = this.#finals.get(height)
    if (known === undefined) {
      this.#finals.set(height, { value: hex(head), state: bytes, by: node.id })
      return this.#checkValid(node, before, head)
    }
    if (known.value !== hex(head)) this.report('agreement', `${node.id} and ${known.by} differ at height ${height}`)
    else if (!equalBytes(known.state, bytes)) this.report('states are equal', `${node.id}, ${known.by} at ${height}`)
  }

  decided(node: MeshNode, height: number, round: number): void {
    if (node.isHonest && (this.#finals.get(height)?.by ?? node.id) === node.id) this.#checkRound(height, round)
  }

  round(node: MeshNode, height: number, round: number): void {
    if (node.isHonest && height > this.top) this.#checkRound(height, round)
  }

  /** From now on every height is decided soon. */
  expect(liveness: Liveness): void {
    this.#liveness = liveness
  }

  refused(node: MeshNode, code: string, from: Uint8Array): void {
    if (node.isHonest && FAULTS.has(code) && !this.isFaulty(from))
      this.report('nothing that is honest is a fault', `${node.id} refuses ${this.#name(from)}: ${code}`)
    this.lies++
  }

  invalid(node: MeshNode, code: string, proposer: Uint8Array): void {
    if (node.isHonest && !this.isFaulty(proposer))
      this.report('what is honestly proposed is valid', `${node.id} refuses ${this.#name(proposer)}'s: ${code}`)
    this.lies++
  }

  distrusted(node: MeshNode, from: MeshNode, code: string): void {
    if (node.isHonest && from.isHonest)
      this.report('what an honest peer gives is taken', `${node.id} refuses ${from.id}'s epoch: ${code}`)
    this.lies++
  }

  accused(node: MeshNode, number: number): void {
    this.contradictions++
    if (node.isHonest && !this.#faulty.has(number))
      this.report('nobody honest signs twice', `${number}, ${node.id} says`)
  }

  fatal(node: MeshNode, isDisk: boolean, cause: unknown): void {
    if (node.isHonest && !isDisk) this.report('stops only for its disk', `${node.id}: ${describe(cause)}`)
  }

  #checkRound(height: number, round: number): void {
    const live = this.#liveness
    if (live === undefined || height < live.height) return
    const from = height === live.height ? Math.max(0, live.round) : 0
    // A lock that others do not know of holds them up until who has it proposes: the core tells of it from round 10 on.
    const turn = this.#locked.has(height) ? this.#keys.identities.length : 0
    const most = from + turn + this.#faulty.size + ROUNDS_AFTER_HEAL
    if (round > most) this.report('progress within f + 2 rounds', `height ${height} is in round ${round}, from ${from}`)
  }

  /** By other means than the product's: what each signer's key is good for, once. */
  #checkCertificate(
    node: MeshNode,
    { validators, mesh }: MeshState,
    value: Uint8Array,
    given: CommitCertificate,
  ): void {
    const { height, round, signatures } = given
    const body = voteBody(mesh, { height, round, kind: 'precommit', value })
    const signers = new Map(signatures.map((one) => [hex(one.validator), one]))
    let power = 0
    for (const { validator, signature } of signers.values())
      if (this.#keys.ports.verify(validator, DOMAIN.vote, body, signature)) power += powerOf(validators, validator)
    if (power * 3 <= totalPower(validators) * 2)
      this.report('more than 2/3 stand behind an epoch', `${node.id}: ${power} at height ${height}`)
  }

  #checkValid(node: MeshNode, before: MeshState, value: Uint8Array): void {
    const bytes = node.disk.block(before.height + 1, value)
    const block = bytes === undefined ? 'none' : openBlock(bytes)
    const code = typeof block === 'string' ? block : checkBlock(before, block, this.#keys.ports)
    if (code !== undefined) this.report('every final epoch is valid', `${code} at height ${before.height + 1}`)
  }

  #name(key: Uint8Array): string {
    return String(this.#keys.ofKey(key)?.number ?? 'nobody')
  }
}

function describe(cause: unknown): string {
  return cause instanceof Error ? (cause.stack ?? cause.message) : String(cause)
}
