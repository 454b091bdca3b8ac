import { CodedError, codeOf } from '../../protocols/shared/errors.ts'
import { equalBytes } from '../light/bytes.ts'
import type { CommitCertificate, Equivocation, Validator } from '../mesh/engine.ts'
import type { Application, ProposedBlock } from '../mesh/ports.ts'
import { applyBlock, forgetBlock, openBlock, rememberBlock, type OpenedBlock } from './block.ts'
import { buildBlock, witnessesFor } from './build-block.ts'
import { extensionFor } from './certificate.ts'
import { certificateCodec } from './certificate-codec.ts'
import { checkBlock, type EpochPorts } from './check-block.ts'
import { PendingPool } from './pending-pool.ts'
import { ReportPool } from './report-pool.ts'
import { namedBy, reportersAfter, type Named } from './reports.ts'
import { encodedState } from './state-codec.ts'
import type { FinalEpoch, MeshState } from './types.ts'
import { proposerOf } from './validators.ts'

/** Where epochs are kept. What resolves is durable. */
export interface EpochStore {
  persist(value: Uint8Array, block: Uint8Array): Promise<void>
  /** a block that was persisted */
  proposal(value: Uint8Array): Promise<Uint8Array | undefined>
  /** All in one step. */
  commit(
    height: number,
    epoch: { value: Uint8Array; block: Uint8Array; certificate: Uint8Array },
    state: Uint8Array,
  ): Promise<void>
}

export interface ApplicationInit {
  /** after the last final epoch here, and the certificate that was stored with it; none at height 0 */
  readonly state: MeshState
  readonly certificate: CommitCertificate | null
  readonly ports: EpochPorts
  readonly store: EpochStore
  /**
   * Gets reports that a block must carry, from those who say that they hold them: one of the holders at least is
   * honest. They may come back, or be put into `reports`.
   */
  readonly fetchReports: (
    epoch: number,
    missing: readonly Named[],
    signal: AbortSignal,
  ) => Promise<readonly Uint8Array[]>
  /** Unix ms */
  readonly now: () => number
  /** Told of each epoch that is final here, after it is durable. Must not throw. */
  readonly onFinal?: (final: FinalEpoch, state: MeshState) => void
}

/** What the validators agree on: epochs, each after the last, with what this node holds for the next. */
export class EpochApplication implements Application {
  readonly reports: ReportPool
  readonly pending: PendingPool
  readonly #init: ApplicationInit
  readonly #ports: EpochPorts
  #state: MeshState
  #certificate: CommitCertificate | null

  constructor(init: ApplicationInit) {
    this.#init = init
    this.#state = init.state
    this.#certificate = init.certificate
    this.reports = new ReportPool(init.state, init.ports.openReport)
    this.pending = new PendingPool(init.state, init.ports)
    // Who holds a report has checked it.
    const openReport: EpochPorts['openReport'] = (bytes, digest) =>
      this.reports.find(digest) ?? init.ports.openReport(bytes, digest)
    this.#ports = { ...init.ports, openReport }
  }

  get state(): MeshState {
    return this.#state
  }

  get height(): number {
    return this.#state.height
  }

  get validators(): readonly Validator[] {
    return this.#state.validators
  }

  get isBusy(): boolean {
    return this.pending.isBusy || this.reports.isMoving
  }

  /** @throws {CodedError} E_EPOCH_EXTENSION, E_EPOCH_REPORT_MISSING; E_ABORTED when the signal was */
  async propose(round: number, signal: AbortSignal): Promise<ProposedBlock> {
    const [state, certificate] = [this.#state, this.#certificate]
    const named = namedBy(witnessesFor(state, certificate), state.lastValidators, state.reporters)
    await this.#fetch(state.height, named, signal)
    const reports = this.reports.read(
      state.height,
      named.map(({ digest }) => digest),
    )
    const proposer = proposerOf(state.validators, state.height + 1, round)
    const pending = { ...this.pending.all, reports }
    const { bytes, block } = buildBlock(state, pending, certificate, { round, proposer }, this.#ports)
    rememberBlock(bytes, block)
    return { value: block.value, bytes }
  }

  async check(proposed: ProposedBlock): Promise<string | undefined> {
    try {
      const block = openBlock(proposed.bytes)
      if (typeof block === 'string') return block
      if (!equalBytes(block.value, proposed.value)) return 'E_EPOCH_VALUE'
      const code = checkBlock(this.#state, block, this.#ports)
      if (code === undefined) rememberBlock(proposed.bytes, block)
      return code
    } catch (error) {
      return codeOf(error)
    }
  }

  extension(): Uint8Array {
    return this.reports.extension(this.#init.now())
  }

  isExtension(_validator: Uint8Array, bytes: Uint8Array): boolean {
    const reporters = reportersAfter(this.#state).length
    return extensionFor(bytes, reporters, this.#state.validators.length) !== undefined
  }

  persist({ value, bytes }: ProposedBlock): Promise<void> {
    return this.#init.store.persist(value, bytes)
  }

  async read(value: Uint8Array): Promise<ProposedBlock | undefined> {
    const bytes = await this.#init.store.proposal(value)
    return bytes && { value, bytes }
  }

  /** @throws {CodedError} E_EPOCH_… for a block that does not follow on the state, or whatever the store throws */
  async commit({ value, bytes }: ProposedBlock, certificate: CommitCertificate): Promise<void> {
    const block = openBlock(bytes)
    if (typeof block === 'string') throw new CodedError(block, `the decided epoch ${this.height + 1} cannot be read`)
    if (!equalBytes(block.value, value)) throw new CodedError('E_EPOCH_VALUE', 'these bytes are not the decided epoch')
    const state = applyBlock(this.#state, block)
    const epoch = { value, block: bytes, certificate: certificateCodec.encode(certificate) }
    await this.#init.store.commit(state.height, epoch, encodedState(state).bytes)
    forgetBlock(bytes, block)
    this.#enter(state, block, certificate)
  }

  evidence(equivocation: Equivocation): void {
    this.pending.putEvidence(equivocation)
  }

  #enter(state: MeshState, block: OpenedBlock, certificate: CommitCertificate): void {
    this.#state = state
    this.#certificate = certificate
    this.reports.enter(state, block.reports)
    this.pending.enter(state, block)
    this.#init.onFinal?.({ block, certificate }, state)
  }

  async #fetch(epoch: number, named: readonly Named[], signal: AbortSignal): Promise<void> {
    const missing = this.reports.missing(named)
    if (missing.length > 0) {
      this.reports.want(missing)
      for (const bytes of await this.#init.fetchReports(epoch, missing, signal)) this.reports.put(bytes)
    }
    if (signal.aborted) throw new CodedError('E_ABORTED', 'the round is over')
    const left = this.reports.missing(named).length
    if (left === 0) return
    throw new CodedError('E_EPOCH_REPORT_MISSING', `${left} reports that epoch ${epoch + 1} must carry did not come`)
  }
}
