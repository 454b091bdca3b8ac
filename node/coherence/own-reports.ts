import type { PhaseReport } from '../../protocols/phase/index.ts'

/** Sequence numbers set aside per durable write: a crash skips some, none is used twice. */
const SEQUENCES_PER_WRITE = 1024
const SEQUENCE_KEY = 'phase/sequence'
const SPOKEN_KEY = 'phase/spoken'

export interface OwnReportsInit {
  /** `put` resolves when the value is durable. */
  store: {
    get: (key: string) => Promise<Uint8Array | undefined>
    put: (key: string, value: Uint8Array) => Promise<void>
  }
  /** Whether reports count in the record: then there is one for each epoch, and never two that differ. */
  byEpoch: boolean
  make: (stamp: Pick<PhaseReport, 'epoch' | 'seq'>) => PhaseReport
  sign: (report: PhaseReport) => Promise<Uint8Array>
  /** @returns undefined for bytes that are no report of this node in this mesh */
  open: (bytes: Uint8Array) => PhaseReport | undefined
}

/** A signed report of this node, as it is sent. */
export interface OwnReport {
  bytes: Uint8Array
  report: PhaseReport
  /** false: the same bytes were sent before */
  isNew: boolean
}

/** What this node says about itself: numbered, persisted before it is sent, and said again as the same bytes. */
export class OwnReports {
  readonly #init: OwnReportsInit
  #sequence = 0
  #reserved = 0
  #spoken: OwnReport | undefined

  constructor(init: OwnReportsInit) {
    this.#init = init
  }

  async open(): Promise<void> {
    const { store, byEpoch, open } = this.#init
    const [stored, bytes] = await Promise.all([store.get(SEQUENCE_KEY), byEpoch ? store.get(SPOKEN_KEY) : undefined])
    const report = bytes && open(bytes)
    if (bytes !== undefined && report !== undefined) this.#spoken = { bytes, report, isNew: false }
    // The clock too, in milliseconds: a store that was lost must not silence this key for others.
    this.#sequence = Math.max(Date.now(), Number(Buffer.from(stored ?? [48]).toString()), report?.seq ?? 0)
    this.#reserved = this.#sequence
  }

  /** @returns the report for `epoch`: a new one, or what was said of this epoch, or of a later one, before */
  async of(epoch: number): Promise<OwnReport> {
    const { byEpoch, make, sign, store } = this.#init
    if (byEpoch && this.#spoken !== undefined && this.#spoken.report.epoch >= epoch) {
      return { ...this.#spoken, isNew: false }
    }
    if (!byEpoch) await this.#reserve()
    const report = make({ epoch, seq: ++this.#sequence })
    const bytes = await sign(report)
    if (byEpoch) await store.put(SPOKEN_KEY, bytes)
    this.#spoken = { bytes, report, isNew: true }
    return this.#spoken
  }

  /** A number is set aside durably before the first report carries it. */
  async #reserve(): Promise<void> {
    if (this.#sequence + 1 < this.#reserved) return
    const until = this.#sequence + 1 + SEQUENCES_PER_WRITE
    await this.#init.store.put(SEQUENCE_KEY, Buffer.from(String(until)))
    this.#reserved = until
  }
}
