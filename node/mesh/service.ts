import { CID } from 'multiformats/cid'
import type { FinalEpoch, MeshState } from '../../consensus/epoch/index.ts'
import { parseCheckpoint, type Checkpoint } from '../../consensus/light/text.ts'
import type { BftTransport } from '../../protocols/bft/index.ts'
import type { PhaseReport } from '../../protocols/phase/index.ts'
import type { CodedError } from '../../protocols/shared/errors.ts'
import type { SyncHandler } from '../../protocols/sync/index.ts'
import type { ChainSummary, MeshOperations } from '../operations-mesh.ts'
import type { Attester } from './attest.ts'
import { createAttester } from './attesting.ts'
import { checkAgainst, fetchCheckpoint } from './checkpoint.ts'
import type { Naming } from './documents.ts'
import { countedReport, createEpochPorts } from './epoch-ports.ts'
import { EpochReader } from './epoch-reader.ts'
import { EpochRecord } from './epoch-record.ts'
import type { Follow } from './follow.ts'
import { createFollowing, followProblem, keepers, syncClient } from './following.ts'
import type { MeshServiceInit } from './init.ts'
import { Motions } from './motions.ts'
import { createNaming } from './naming.ts'
import { ReportFetch } from './report-fetch.ts'
import { createServing } from './serving.ts'
import { lastOf, missingQuorum, summaryOf } from './summary.ts'
import { MeshTally } from './tally.ts'
import type { MeshService } from './types.ts'
import { Validating } from './validating.ts'
import { aheadOfEpochs } from './wal.ts'
import { createMeshWire } from './wire.ts'

/** Newest epochs that are kept unless configured; a witness keeps all. */
const KEPT = { validator: 100_000, certificates: 64, evidence: 0 } as const
/** Epochs that others may be ahead while this node keeps up: what is under way is one or two. */
const UNDER_WAY = 2

/** The mesh's record on this node: its store, its part in deciding it or the way it follows, and what can be asked of it. */
export class NodeMesh implements MeshService {
  readonly name = 'mesh'
  readonly #init: MeshServiceInit
  readonly #log
  readonly #mesh: Uint8Array
  readonly #ports
  readonly #tally = new MeshTally()
  readonly #naming: Naming
  readonly #reports: ReportFetch
  #record!: EpochRecord
  #reader!: EpochReader
  #motions!: Motions
  #transport: BftTransport | undefined
  #validating: Validating | undefined
  #attester: Attester | undefined
  #sync: SyncHandler | undefined
  #follow: Follow | undefined
  readonly #stopped = new AbortController()
  #beginning: Promise<void> = Promise.resolve()
  /** Why the record has not begun yet. */
  #pending: CodedError | undefined
  #last: Pick<ChainSummary, 't' | 'collapsed'> | undefined

  constructor(init: MeshServiceInit) {
    const { libp2p, membership } = init
    this.#init = init
    this.#log = init.log.forComponent('kairos:mesh')
    this.#mesh = CID.parse(membership.meshId).bytes
    this.#ports = createEpochPorts(this.#mesh)
    this.#naming = createNaming(init, () => this.state)
    this.#reports = new ReportFetch({
      reports: () => this.#record.application.reports,
      request: (epoch, digests, of) => this.#transport?.requestReports(epoch, digests, of),
      isConnected: (peer) => libp2p.getConnections(peer).length > 0,
    })
  }

  async start(): Promise<void> {
    const { directory, membership, role, onFatal, libp2p } = this.#init
    const { genesis, meshId } = membership
    const record = await EpochRecord.open({
      directory,
      genesis,
      meshId,
      mesh: this.#mesh,
      peerId: libp2p.peerId.toString(),
      keep: this.keep,
      isValidator: role === 'validator',
      ports: this.#ports,
      fetchReports: (epoch, missing, signal) => this.#reports.fetch(epoch, missing, signal),
      onFatal,
      log: this.#log,
    })
    this.#record = record
    this.#reader = new EpochReader({ record, genesis, naming: this.#naming })
    const head = await record.final(record.state.height)
    this.#last = head && lastOf(head)
    membership.noteRecord(record.state)
    record.onFinal((final, state) => this.#final(final, state))
    this.#motions = new Motions({
      privateKey: this.#init.privateKey,
      record,
      naming: this.#naming,
      publish: (bytes) => this.#transport?.publishGovernance(bytes),
    })
    const { checkpoint } = this.#init.config
    if (checkpoint === undefined) return this.#takePart()
    await checkAgainst(record.chain, parseCheckpoint(checkpoint))
    if (record.state.height > 0) return this.#takePart()
    this.#beginning = this.#beginAt(parseCheckpoint(checkpoint)).catch(onFatal)
  }

  /** The node runs meanwhile: it may take long until somebody is there who can bring it. */
  async #beginAt(checkpoint: Checkpoint): Promise<void> {
    const { libp2p } = this.#init
    const beginning = await fetchCheckpoint({
      checkpoint,
      client: syncClient(libp2p),
      peers: () => keepers(this.#init),
      verify: this.#ports.verify,
      onProblem: (problem) => (this.#pending = problem),
      signal: this.#stopped.signal,
    })
    if (beginning === undefined) return
    await this.#record.beginAt(beginning)
    this.#pending = undefined
    this.#init.membership.noteRecord(this.state)
    this.#log.info('the record begins at a checkpoint', { height: this.state.height })
    await this.#takePart()
  }

  async #takePart(): Promise<void> {
    const { role, libp2p } = this.#init
    if (role === 'validator') await this.#validate()
    if (role !== 'certificates') {
      this.#sync = createServing({ ...this.#init, record: this.#record, tally: this.#tally })
      await this.#sync.start()
    }
    this.#follow = createFollowing({
      ...this.#init,
      record: this.#record,
      validating: this.#validating,
      isValidator: () => this.#isValidator,
      tally: this.#tally,
    })
    await this.#follow.start()
    libp2p.addEventListener('peer:connect', this.#onConnect)
  }

  async stop(): Promise<void> {
    this.#stopped.abort()
    await this.#beginning
    this.#init.libp2p.removeEventListener('peer:connect', this.#onConnect)
    await this.#follow?.stop()
    await this.#validating?.stop()
    await this.#attester?.stop()
    await this.#transport?.stop()
    await this.#sync?.stop()
    await (this.#record as EpochRecord | undefined)?.close()
  }

  get state(): MeshState {
    return this.#record.state
  }

  get head(): Uint8Array {
    return this.#record.state.head
  }

  get observe() {
    return this.#tally.observe
  }

  /** Newest epochs that are kept, 0 for all; and the height of the oldest. */
  get keep(): number {
    const { role, config } = this.#init
    return role === 'evidence' ? 0 : (config.keep_epochs ?? KEPT[role])
  }

  get oldest(): number {
    return this.#record.chain.head.oldest
  }

  /** @returns the encoded block of a final epoch; undefined when it is not kept */
  async block(height: number): Promise<Uint8Array | undefined> {
    return (await this.#record.chain.epoch(height))?.block
  }

  /** Whether this node has all the epochs that there are, but for those under way. */
  get isCurrent(): boolean {
    return this.#behind <= UNDER_WAY
  }

  /** What a peer says in its status of how far it has got: `HEIGHT:CID`, a hint. */
  heard(head: string | undefined): void {
    const height = Number(/^(\d{1,15}):/.exec(head ?? '')?.[1])
    if (!(height > 0)) return
    this.#follow?.heard(height)
    // A validator that comes back knows of it before it hears the others vote.
    if (this.#isValidator) this.#follow?.behind(height)
  }

  readonly onFinal: MeshService['onFinal'] = (listener) => this.#record.onFinal(listener)

  /** A signed report that gossip has checked, or this node's own. */
  readonly onReport = (envelope: Uint8Array, report: PhaseReport): void => {
    const counted = countedReport(report)
    if (counted === undefined) return
    const code = this.#record.application.reports.put(envelope, counted)
    // Each one costs its author's budget.
    if (code === 'E_REPORT_EPOCH') this.#tally.refused(code)
  }

  readonly summary = (): ChainSummary =>
    summaryOf({
      state: this.state,
      last: this.#last,
      trust: this.#record.chain.head.trust,
      tally: this.#tally,
      behind: this.#behind,
      problem: this.#problem,
      isSelf: this.#naming.isSelf,
    })

  /** Before a member of this node's cell goes. @returns whether the record can do without it by the signal */
  readonly release = async (peerId: string, signal: AbortSignal): Promise<boolean> => {
    // Where nothing becomes final there is nothing to wait for.
    if (this.#problem !== undefined) return false
    return (await this.#attester?.release(peerId, signal)) ?? true
  }

  readonly epochs: MeshOperations['epochs'] = (options) => this.#reader.rows(options)
  readonly epoch: MeshOperations['epoch'] = (height) => this.#reader.document(height)
  readonly exportEpoch: MeshOperations['exportEpoch'] = (height, from) => this.#reader.export(height, from)
  readonly validators: MeshOperations['validators'] = async () => this.#reader.validators()
  readonly motions: MeshOperations['motions'] = async () => this.#motions.list()
  readonly move: MeshOperations['move'] = (change, options) => this.#motions.move(change, options)
  readonly vote: MeshOperations['vote'] = (motion, yes) => this.#motions.vote(motion, yes)

  async #validate(): Promise<void> {
    const record = this.#record
    const transport = createMeshWire({
      ...this.#init,
      record,
      validating: () => this.#validating,
      attester: () => this.#attester,
      reports: this.#reports,
      tally: this.#tally,
    })
    this.#transport = transport
    this.#validating = new Validating({
      ...this.#init,
      mesh: this.#mesh,
      record,
      wal: record.wal!,
      transport,
      tally: this.#tally,
      onBehind: (height) => this.#follow?.behind(height),
      log: this.#log,
    })
    await transport.start()
    const { cell } = this.#init
    if (cell !== undefined) {
      const { isSelf } = this.#naming
      this.#attester = createAttester({ ...this.#init, cell, record, transport, isSelf })
      await this.#attester.start()
    }
    if (this.#validating.mayStart) await this.#validating.start()
    else this.#log.error('this node may have voted in later epochs than it has: it follows until it has them', {})
  }

  #final(final: FinalEpoch, state: MeshState): void {
    this.#last = lastOf(final)
    this.#tally.counters.evidence += final.block.evidence.length
    this.#transport?.reached(state.height)
    this.#init.membership.noteRecord(state)
  }

  readonly #onConnect = (): void => {
    // A validator is kept at the head by consensus.
    if (!this.#isValidator) this.#follow?.look()
  }

  get #isValidator(): boolean {
    return this.state.validators.some(({ key }) => this.#naming.isSelf(key))
  }

  /** Of a validator by the word of more than a third of the power; else of any peer. */
  get #behind(): number {
    const { behind = 0 } = this.#validating?.status ?? {}
    if (this.#isValidator && this.#validating?.isRunning === true) return Math.max(0, behind - 1 - this.state.height)
    return this.#follow?.progress.behind ?? 0
  }

  get #problem(): CodedError | undefined {
    const { wal } = this.#record
    if (this.#pending !== undefined) return this.#pending
    if (this.#validating?.isRunning === false && wal !== undefined)
      return aheadOfEpochs(this.state.height + 1, wal.height)
    if (this.#isValidator) return missingQuorum(this.state, this.#naming)
    return this.#follow && followProblem(this.#follow.progress)
  }
}
