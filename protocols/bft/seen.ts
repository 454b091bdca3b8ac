import { createHash } from 'node:crypto'
import type { Verdict } from '../shared/verdict.ts'
import { MAX_SEEN } from './constants.ts'

/** What was judged for good, so that each command and attestation is looked at and passed on once. */
export class Seen {
  readonly #verdicts = new Map<string, Verdict>()

  static key(kind: string, bytes: Uint8Array): string {
    return `${kind} ${createHash('sha256').update(bytes).digest('base64')}`
  }

  get(key: string): Verdict | undefined {
    return this.#verdicts.get(key)
  }

  /** What is only ignored may be welcome another time. */
  add(key: string, verdict: Verdict): void {
    if (verdict.kind === 'ignore') return
    this.#verdicts.set(key, verdict)
    if (this.#verdicts.size > MAX_SEEN) this.#verdicts.delete(this.#verdicts.keys().next().value!)
  }
}
