import { equalBytes } from '../light/bytes.ts'
import type { Equivocation } from '../mesh/engine.ts'
import { applyAttestation } from './attestations.ts'
import { openAttestation } from './attestation-codec.ts'
import { digestOf, hex } from './cid.ts'
import { openCommand } from './command-codec.ts'
import { Draft } from './draft.ts'
import { applyEvidence } from './evidence.ts'
import { evidenceCodec, evidenceOf } from './evidence-codec.ts'
import { applyCommand, holdsFrom } from './governance.ts'
import { cidOfSet } from './set-codec.ts'
import { TRUSTED, type Signatures } from './signed-bytes.ts'
import type { Sundry } from './transition.ts'
import type { Attestation, MeshState, Operator } from './types.ts'

const MAX_COMMANDS_HELD = 128
const MAX_COMMANDS_OF_AUTHOR = 16
const MAX_EVIDENCE_HELD = 64
/** Evidence that blocks have carried, where the policy leaves its author in: it is not proposed again. */
const MAX_NOTED = 256
/** How soon a carried motion must hold for the mesh not to idle. */
const SOON = 3

/** What waits to go into a block: bounded, and checked before it is taken in, so that who submits learns why not. */
export class PendingPool {
  readonly #signatures: Signatures
  #state: MeshState
  #commands: readonly { readonly bytes: Uint8Array; readonly by: Uint8Array }[] = []
  /** by cell */
  readonly #attestations = new Map<string, { bytes: Uint8Array; attestation: Attestation }>()
  #evidence = new Map<string, Uint8Array>()
  readonly #noted = new Set<string>()

  constructor(state: MeshState, signatures: Signatures) {
    this.#state = state
    this.#signatures = signatures
  }

  /** @returns a code when the command is not taken: by the rules of the record, E_GOVERNANCE_PENDING, E_GOVERNANCE_BUSY */
  putGovernance(bytes: Uint8Array): string | undefined {
    const opened = openCommand(this.#state.mesh, bytes)
    if (typeof opened === 'string') return opened
    if (this.#commands.some((each) => equalBytes(each.bytes, bytes))) return 'E_GOVERNANCE_PENDING'
    const { by } = opened.command
    const ofAuthor = this.#commands.filter((each) => equalBytes(each.by, by)).length
    if (this.#commands.length >= MAX_COMMANDS_HELD || ofAuthor >= MAX_COMMANDS_OF_AUTHOR) return 'E_GOVERNANCE_BUSY'
    const code = applyCommand(this.#drafted(), bytes, this.#signatures)
    if (code === undefined) this.#commands = [...this.#commands, { bytes, by }]
    return code
  }

  /** The newest of each cell. @returns a code when it is not taken: by the rules of the record, E_ATTESTATION_STALE */
  putAttestation(bytes: Uint8Array): string | undefined {
    const opened = openAttestation(this.#state.mesh, bytes)
    if (typeof opened === 'string') return opened
    const { attestation } = opened
    const held = this.#attestations.get(attestation.cell)?.attestation
    if (held !== undefined && !isLater(attestation, held)) return 'E_ATTESTATION_STALE'
    const code = applyAttestation(new Draft(this.#state), bytes, this.#signatures)
    if (code === undefined) this.#attestations.set(attestation.cell, { bytes, attestation })
    return code
  }

  /** Two messages whose signatures the engine has checked. */
  putEvidence(found: Equivocation): void {
    const evidence = evidenceOf(found)
    if (evidence === undefined || this.#evidence.size >= MAX_EVIDENCE_HELD) return
    const bytes = evidenceCodec.encode(evidence)
    const name = hex(digestOf(bytes))
    if (!this.#noted.has(name)) this.#evidence.set(name, bytes)
  }

  /** After an epoch: forgets what it carried, and what cannot go into a block any more. */
  enter(state: MeshState, block: Sundry): void {
    this.#state = state
    for (const bytes of block.evidence) this.#note(hex(digestOf(bytes)))
    const draft = new Draft(state)
    this.#commands = this.#commands.filter(({ bytes }) => applyCommand(draft, bytes, TRUSTED) === undefined)
    for (const [cell, { bytes }] of this.#attestations) {
      if (applyAttestation(new Draft(state), bytes, TRUSTED) !== undefined) this.#attestations.delete(cell)
    }
    const isOfUse = (bytes: Uint8Array): boolean => {
      const code = applyEvidence(new Draft(state), bytes, TRUSTED)
      return code === undefined || (code === 'E_EVIDENCE_HEIGHT' && evidenceCodec.decode(bytes).height > state.height)
    }
    this.#evidence = new Map([...this.#evidence].filter(([, bytes]) => isOfUse(bytes)))
  }

  /** All that waits; whoever builds a block leaves out what is not valid in it. */
  get all(): Sundry {
    return {
      attestations: [...this.#attestations.values()].map(({ bytes }) => bytes),
      governance: this.#commands.map(({ bytes }) => bytes),
      evidence: [...this.#evidence.values()],
    }
  }

  /** Whether the record is to change: not when a cell only says once more what it said before. */
  get isBusy(): boolean {
    const { validators, nextValidators, motions, height } = this.#state
    return (
      this.#commands.length > 0 ||
      this.#evidence.size > 0 ||
      [...this.#attestations.values()].some(({ attestation }) => this.#isNews(attestation)) ||
      !equalBytes(cidOfSet(validators), cidOfSet(nextValidators)) ||
      motions.some((motion) => {
        const from = holdsFrom(motion)
        return from !== undefined && from > height && from <= height + SOON
      })
    )
  }

  #drafted(): Draft {
    const draft = new Draft(this.#state)
    for (const { bytes } of this.#commands) applyCommand(draft, bytes, TRUSTED)
    return draft
  }

  #isNews({ cell, members, validators, revoked, t }: Attestation): boolean {
    const known = this.#state.operators.find((operator) => operator.cell === cell)
    return known === undefined || revoked.length > 0 || !isSame({ members, validators, t }, known)
  }

  #note(name: string): void {
    this.#evidence.delete(name)
    this.#noted.add(name)
    if (this.#noted.size > MAX_NOTED) this.#noted.delete(this.#noted.values().next().value!)
  }
}

function isLater(a: Attestation, b: Attestation): boolean {
  return a.epoch > b.epoch || (a.epoch === b.epoch && a.index > b.index)
}

function isSame(
  { members, validators, t }: Pick<Attestation, 'members' | 'validators' | 't'>,
  known: Operator,
): boolean {
  const areEqual = (a: readonly Uint8Array[], b: readonly Uint8Array[]): boolean =>
    a.length === b.length && a.every((key, at) => equalBytes(key, b[at]!))
  const last = known.attested?.t ?? null
  const isSameT = t === null ? last === null : last !== null && t[0] === last[0] && t[1] === last[1]
  return isSameT && areEqual(members, known.members) && areEqual(validators, known.validators)
}
