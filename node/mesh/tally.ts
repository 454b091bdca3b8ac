import type { MeshCounters } from '../operations-mesh.ts'
import type { MeshObserver } from './types.ts'

/** Decisions that the percentiles are taken of. */
const KEPT_DECISIONS = 256

/**
 * Nobody's fault: what is of a height that this node has left or not reached, what another has said already (each member
 * of a cell hands on what it attests), and what slow nodes say. Told by code, and not counted as a broken rule.
 */
const UNTIMELY = new Set([
  'E_BFT_DROPPED',
  'E_ATTESTATION_STALE',
  'E_GOVERNANCE_KNOWN',
  'E_GOVERNANCE_PENDING',
  'E_GOVERNANCE_VOTED',
  'E_REPORT_EPOCH',
  'E_REPORT_KNOWN',
])

/** What happened to the record here since the start of the node. */
export class MeshTally {
  readonly observe: MeshObserver = {}
  readonly counters: MeshCounters = {
    rounds: 0,
    missedProposals: 0,
    evidence: 0,
    traps: 0,
    refusedMessages: 0,
    syncedEpochs: 0,
  }
  /** ms, oldest first */
  readonly #decisions: number[] = []

  decided(ms: number): void {
    this.#decisions.push(ms)
    if (this.#decisions.length > KEPT_DECISIONS) this.#decisions.shift()
    this.observe.onDecided?.(ms)
  }

  refused(code: string): void {
    if (!UNTIMELY.has(code)) this.counters.refusedMessages += 1
    this.observe.onRefused?.(code)
  }

  get finalizedMs(): { p50: number; p99: number } | null {
    if (this.#decisions.length === 0) return null
    const sorted = this.#decisions.toSorted((a, b) => a - b)
    const at = (part: number): number => sorted[Math.min(sorted.length - 1, Math.floor(part * sorted.length))]!
    return { p50: at(0.5), p99: at(0.99) }
  }
}
