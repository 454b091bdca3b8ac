/**
 * What a receiver thinks of a peer's message. A peer's fault is a value, never a throw;
 * one place (the score ledger) turns it into consequences.
 */
export type Verdict = { kind: 'accept' } | { kind: 'ignore'; code: string } | { kind: 'reject'; code: string }

export const ACCEPT: Verdict = { kind: 'accept' }

/** Not wanted, but not provably the sender's fault (stale, duplicate, over budget). */
export function ignore(code: string): Verdict {
  return { kind: 'ignore', code }
}

/** Provably bad bytes: costs the sender. */
export function reject(code: string): Verdict {
  return { kind: 'reject', code }
}
