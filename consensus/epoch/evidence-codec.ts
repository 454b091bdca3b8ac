import type { Codec } from '../../protocols/shared/codec.ts'
import type { Equivocation } from '../mesh/engine.ts'
import { compareBytes } from '../light/bytes.ts'
import {
  cidBytes,
  defineCanonical,
  key,
  oneOf,
  orUndefined,
  record,
  refuse,
  signature,
  tuple,
  whole,
} from './fields.ts'
import { MAX_EVIDENCE_BYTES, MAX_ROUND } from './limits.ts'
import { DOMAIN, proposalBody, voteBody, type Verify } from './signed-bytes.ts'
import type { Evidence, ProposalEvidence, SignedValue, VoteEvidence } from './types.ts'

type SignedProposal = ProposalEvidence['first']

const head = { validator: key, height: whole(1), round: whole(0, MAX_ROUND) }
const valuePair = tuple<readonly [Uint8Array | undefined, Uint8Array]>(orUndefined(cidBytes), signature)
const proposalFields = tuple<readonly [Uint8Array, Uint8Array, number]>(cidBytes, signature, whole(-1, MAX_ROUND))
const signedValue = (from: unknown): SignedValue => {
  const [value, signature] = valuePair(from)
  return { value, signature }
}
const signedProposal = (from: unknown): SignedProposal => {
  const [value, signature, polRound] = proposalFields(from)
  return { value, signature, polRound }
}
const votes = record<VoteEvidence>({
  ...head,
  kind: oneOf('prevote', 'precommit'),
  first: signedValue,
  second: signedValue,
})
const proposals = record<ProposalEvidence>({
  ...head,
  kind: oneOf('proposal'),
  first: signedProposal,
  second: signedProposal,
})

/** One form for one double vote, whoever saw it: the lesser value first, no value before any. */
function read(value: unknown): Evidence {
  const isProposal = (value as { kind?: unknown } | null)?.kind === 'proposal'
  const evidence = isProposal ? proposals(value) : votes(value)
  return order(evidence.first, evidence.second) < 0 ? evidence : refuse('the two do not differ, or not in order')
}

function write(evidence: Evidence): unknown {
  const pair = ({ value, signature, ...rest }: SignedValue | SignedProposal): unknown[] => [
    value ?? null,
    signature,
    ...('polRound' in rest ? [rest.polRound] : []),
  ]
  return { ...evidence, first: pair(evidence.first), second: pair(evidence.second) }
}

function order(a: SignedValue, b: SignedValue): number {
  return compareBytes(a.value ?? new Uint8Array(), b.value ?? new Uint8Array())
}

/** ≤ 512 bytes: who, where, and the two values with their signatures. */
export const evidenceCodec: Codec<Evidence> = defineCanonical('evidence', MAX_EVIDENCE_BYTES, read, write)

/** @returns undefined for messages that do not contradict each other, such as two proposals of one value */
export function evidenceOf(found: Equivocation): Evidence | undefined {
  const { validator, height, round } = found.first
  const [first, second] =
    order(found.first, found.second) < 0 ? [found.first, found.second] : [found.second, found.first]
  if (order(first, second) === 0) return undefined
  const at = { validator, height, round }
  if (first.type === 'vote') return { ...at, kind: first.kind, first: signedPart(first), second: signedPart(second) }
  if (second.type === 'vote') return undefined
  return {
    ...at,
    kind: 'proposal',
    first: { ...signedPart(first), polRound: first.polRound },
    second: { ...signedPart(second), polRound: second.polRound },
  }
}

function signedPart<V extends Uint8Array | undefined>(message: { value: V; signature: Uint8Array }) {
  return { value: message.value, signature: message.signature }
}

/** @returns whether its author signed both */
export function isSigned(mesh: Uint8Array, evidence: Evidence, verify: Verify): boolean {
  const { validator, height, round, kind } = evidence
  if (kind === 'proposal')
    return [evidence.first, evidence.second].every(({ value, polRound, signature }) => {
      const body = proposalBody(mesh, { height, round, polRound, value: value! })
      return verify(validator, DOMAIN.proposal, body, signature)
    })
  return [evidence.first, evidence.second].every(({ value, signature }) =>
    verify(validator, DOMAIN.vote, voteBody(mesh, { height, round, kind, value }), signature),
  )
}
