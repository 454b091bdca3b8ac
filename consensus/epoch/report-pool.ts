import { compareBytes } from '../light/bytes.ts'
import { maxNames } from './certificate.ts'
import { extensionCodec } from './certificate-codec.ts'
import { digestOf, hex } from './cid.ts'
import { MAX_REPORT_BYTES, MAX_TIME } from './limits.ts'
import { reportersAfter, type Named, type OpenedReport, type OpenReport } from './reports.ts'
import type { ComplexQ30, MeshState, Reporter } from './types.ts'

/** Epochs held before and after the last final one: late ones are asked for, early ones come from who is ahead. */
const EPOCHS_BEFORE = 1
const EPOCHS_AFTER = 2
/** Two show that an author said two things; more show nothing else. */
const MAX_OF_AUTHOR = 2

interface Held extends OpenedReport {
  readonly bytes: Uint8Array
  readonly digest: Uint8Array
}

interface Epoch {
  readonly byDigest: Map<string, Held>
  readonly byAuthor: Map<string, readonly Held[]>
}

/**
 * The signed reports that this node holds for the record, by epoch and author: at most two of each author that the
 * record has as a member, so 4 MiB with a thousand of them.
 */
export class ReportPool {
  readonly #open: OpenReport
  #state: MeshState
  /** whose reports of the epoch that is decided now are named */
  #reporters: readonly Reporter[] = []
  readonly #epochs = new Map<number, Epoch>()
  /** digests in hex of what a block must carry: taken however many there are of its author */
  #wanted: ReadonlySet<string> = new Set()
  /** keys in hex */
  #members = new Set<string>()
  /** what the reports in the last block said, by author */
  #counted = new Map<string, ComplexQ30>()

  constructor(state: MeshState, open: OpenReport) {
    this.#state = state
    this.#open = open
    this.enter(state)
  }

  /** After an epoch: forgets what it is too late for. */
  enter(state: MeshState, block: readonly Uint8Array[] = []): void {
    // Who only follows holds none, and hashes none.
    const included = this.#epochs.size === 0 ? [] : block.flatMap((bytes) => this.find(hex(digestOf(bytes))) ?? [])
    this.#counted = new Map(included.map(({ author, t }) => [hex(author), t]))
    this.#state = state
    this.#reporters = reportersAfter(state)
    this.#wanted = new Set()
    const members = state.operators.flatMap((operator) => operator.members)
    // Who has just left is still asked about the epoch before.
    this.#members = new Set([...members, ...state.reporters.map(({ key }) => key)].map(hex))
    for (const epoch of this.#epochs.keys()) if (!this.#isTimely(epoch)) this.#epochs.delete(epoch)
  }

  /**
   * Takes a report in, its signature and numbers checked here unless the caller has.
   *
   * @returns a code when it is not: `E_REPORT_KNOWN` for one that is here, or a third of its author
   */
  put(bytes: Uint8Array, checked?: OpenedReport): string | undefined {
    if (bytes.byteLength > MAX_REPORT_BYTES) return 'E_REPORT_MALFORMED'
    const digest = digestOf(bytes)
    const name = hex(digest)
    if (this.find(name) !== undefined) return 'E_REPORT_KNOWN'
    const report = checked ?? this.#open(bytes, name)
    if (report === undefined) return 'E_REPORT_MALFORMED'
    if (!this.#isTimely(report.epoch)) return 'E_REPORT_EPOCH'
    const author = hex(report.author)
    if (!this.#members.has(author)) return 'E_REPORT_UNCOUNTED'
    const { byDigest, byAuthor } = this.#epoch(report.epoch)
    const others = byAuthor.get(author) ?? []
    if (others.length >= MAX_OF_AUTHOR && !this.#wanted.has(name)) return 'E_REPORT_KNOWN'
    const held = { ...report, bytes, digest }
    byDigest.set(name, held)
    byAuthor.set(author, [...others, held])
    return undefined
  }

  /** @param digest - sha-256 of the envelope, in hex */
  find(digest: string): Held | undefined {
    for (const { byDigest } of this.#epochs.values()) {
      const found = byDigest.get(digest)
      if (found !== undefined) return found
    }
    return undefined
  }

  /** @returns the envelopes of those that are here, for who asks */
  read(epoch: number, digests: readonly Uint8Array[]): Uint8Array[] {
    return digests.flatMap((digest) => this.#epochs.get(epoch)?.byDigest.get(hex(digest))?.bytes ?? [])
  }

  /** What this validator's precommit of the next height says. */
  extension(time: number): Uint8Array {
    const held = this.#epochs.get(this.#state.height + 1)?.byAuthor
    const digests = this.#reporters.map(({ key }) =>
      (held?.get(hex(key)) ?? [])
        .slice(0, MAX_OF_AUTHOR)
        .map(({ digest }) => digest)
        .sort(compareBytes),
    )
    // Second reports of an author never take the room of another's first.
    let room = maxNames(this.#state.validators.length) - digests.filter(({ length }) => length > 0).length
    const reports = digests.flatMap((of, reporter) =>
      of.filter((_, at) => at === 0 || room-- > 0).map((digest) => [reporter, digest] as const),
    )
    return extensionCodec.encode({ time: Math.min(Math.max(0, Math.floor(time)), MAX_TIME), reports })
  }

  /**
   * What the next block must carry. An author who says three things to three validators has each hold another two: who
   * builds the block takes the ones that it lacks, or one liar could keep all from building.
   */
  want(named: readonly Named[]): void {
    this.#wanted = new Set(named.map(({ digest }) => hex(digest)))
  }

  /** @returns those of the named reports that are not here */
  missing(named: readonly Named[]): Named[] {
    return named.filter(({ digest }) => this.find(hex(digest)) === undefined)
  }

  /** Whether a report of the epoch that is decided now says another T than its author's last that counted. */
  get isMoving(): boolean {
    const isNews = ({ author, t }: Held): boolean => {
      const last = this.#counted.get(hex(author))
      return last === undefined || last[0] !== t[0] || last[1] !== t[1]
    }
    return [this.#state.height, this.#state.height + 1].some((epoch) => {
      const byAuthor = this.#epochs.get(epoch)?.byAuthor
      return this.#reporters.some(({ key }) => byAuthor?.get(hex(key))?.some(isNews) === true)
    })
  }

  get size(): number {
    return [...this.#epochs.values()].reduce((sum, { byDigest }) => sum + byDigest.size, 0)
  }

  #isTimely(epoch: number): boolean {
    const { height } = this.#state
    return epoch >= height - EPOCHS_BEFORE && epoch <= height + EPOCHS_AFTER
  }

  #epoch(epoch: number): Epoch {
    const known = this.#epochs.get(epoch) ?? { byDigest: new Map(), byAuthor: new Map() }
    this.#epochs.set(epoch, known)
    return known
  }
}
