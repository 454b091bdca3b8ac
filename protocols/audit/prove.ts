import { CodedError } from '../shared/errors.ts'
import type { Challenge, ProofAnswer } from './codec.ts'
import { proofOf, ProofHash } from './proof-hash.ts'
import type { ReadBudget } from './read-budget.ts'

/** What a replica has, here and now: never fetches. */
export interface AuditSource {
  /** Whether this node says of the pin that it holds all of it. */
  claims(pin: string): Promise<boolean>
  /** @returns undefined for a block that is not here, or damaged */
  read(multihash: Uint8Array): Promise<Uint8Array | undefined>
}

export interface Prover {
  source: AuditSource
  budget: ReadBudget
  /** Peer id as text. */
  self: string
}

/** @throws {CodedError} E_AUDIT_BUDGET, and what reading throws */
export async function prove(
  { pin, salt, blocks }: Challenge,
  { source, budget, self }: Prover,
  { peer, signal }: { peer: string; signal: AbortSignal },
): Promise<ProofAnswer> {
  budget.spend(peer, 0)
  if (!(await source.claims(pin))) return { type: 'unclaimed' }
  const hash = new ProofHash(salt)
  for (const block of blocks) {
    signal.throwIfAborted()
    if (!budget.has(peer)) throw new CodedError('E_AUDIT_BUDGET', 'no more is read for you in this minute')
    const bytes = await source.read(block)
    budget.spend(peer, bytes?.byteLength ?? 0)
    if (bytes === undefined) return { type: 'missing', block }
    hash.add(bytes)
  }
  return { type: 'proof', digest: proofOf(hash.digest(), self) }
}
