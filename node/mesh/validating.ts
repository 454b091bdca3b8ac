import type { PeerId } from '@libp2p/interface'
import { openBlock, proposerOf } from '../../consensus/epoch/index.ts'
import { equalBytes } from '../../consensus/light/bytes.ts'
import type { CommitCertificate, EngineRefusalCode } from '../../consensus/mesh/engine.ts'
import { Mesh, type MeshEvents, type MeshStatus, type ProposedBlock } from '../../consensus/mesh/index.ts'
import { ignore, reject } from '../../protocols/shared/verdict.ts'
import type { BftTransport } from '../../protocols/bft/index.ts'
import { loadBft } from '../../wasm/bft/load.ts'
import { decodeMessage } from '../../wasm/bft/messages.ts'
import { messageOf } from '../../protocols/shared/errors.ts'
import { clock } from '../cell/clock.ts'
import type { Log } from '../telemetry/log.ts'
import type { EpochRecord } from './epoch-record.ts'
import type { MeshServiceInit } from './init.ts'
import { peerIdOf, peerOf } from './named.ts'
import { withNamedReports } from './named-reports.ts'
import type { MeshTally } from './tally.ts'
import type { MeshWal } from './wal.ts'

/** What no validator that keeps the rules sends; what else is refused may have come a moment too late. */
const FAULTS: ReadonlySet<EngineRefusalCode> = new Set([
  'E_BFT_MESSAGE',
  'E_BFT_SIGNATURE',
  'E_BFT_CERTIFICATE',
  'E_BFT_EXTENSION',
])

/** Of a proposed block: that it breaks a rule follows from its bytes and the epoch before, which its proposer had, too. */
const BLOCK_FAULT = /^E_(EPOCH|CERTIFICATE|ATTESTATION|GOVERNANCE|EVIDENCE)_/

export interface ValidatingInit extends Pick<MeshServiceInit, 'privateKey' | 'config' | 'judge' | 'onFatal'> {
  mesh: Uint8Array
  record: EpochRecord
  wal: MeshWal
  transport: BftTransport
  tally: MeshTally
  /** Others decide this height, or so they say. */
  onBehind: (height: number) => void
  log: Log
}

/** This node's vote on epochs: the driver with its engine, from where log and store have got to. */
export class Validating {
  readonly #init: ValidatingInit
  #mesh: Mesh | undefined

  constructor(init: ValidatingInit) {
    this.#init = init
  }

  /** A log that is ahead of the epochs here says that this node voted on some of them: it may not do that again. */
  get mayStart(): boolean {
    const { record, wal } = this.#init
    return record.state.height + 1 >= wal.height
  }

  get isRunning(): boolean {
    return this.#mesh !== undefined
  }

  get status(): MeshStatus | undefined {
    return this.#mesh?.status
  }

  async start(): Promise<void> {
    const { privateKey, mesh, record, wal, transport, config } = this.#init
    for (const envelope of await wal.reports()) record.application.reports.put(envelope)
    this.#mesh ??= Mesh.start({
      mesh,
      seed: privateKey.raw.subarray(0, 32),
      key: privateKey.publicKey.raw,
      loadEngine: () => loadBft(),
      decode: decodeMessage,
      proposerOf,
      matches: isBlock,
      pace: () => record.state.policy,
      ...withNamedReports(record.application, wal),
      transport,
      clock,
      events: this.#events(),
      options: { proposeMs: config.propose_timeout_s * 1000, proposeStepMs: config.propose_timeout_s * 500 },
    })
  }

  async stop(): Promise<void> {
    await this.#mesh?.stop()
  }

  receive(from: Uint8Array, height: number, bytes: Uint8Array): void {
    this.#mesh?.receive(from, height, bytes)
  }

  receiveBlock(height: number, round: number, block: ProposedBlock): boolean {
    return this.#mesh?.receiveBlock(height, round, block) ?? true
  }

  /** @returns whether the epoch is final here */
  async synced(block: ProposedBlock, certificate: CommitCertificate): Promise<boolean> {
    if (this.#mesh !== undefined) return this.#mesh.synced(block, certificate)
    const { record } = this.#init
    await record.application.commit(block, certificate)
    if (this.mayStart) await this.start()
    return true
  }

  #events(): MeshEvents {
    const { tally, judge, log, onBehind, onFatal } = this.#init
    const peer = (key: Uint8Array): PeerId => peerOf(key)
    return {
      onRound: (height, round, proposer) => {
        tally.counters.rounds += 1
        if (round > 0) log.info('another round', { height, round, proposer: peerIdOf(proposer) })
      },
      onDecided: (_height, { ms }) => tally.decided(ms),
      onBehind,
      onTrap: (cause) => {
        tally.counters.traps += 1
        log.error('the BFT engine trapped; it is made anew from the log', { reason: messageOf(cause) })
      },
      onRefused: (code, from) => {
        tally.refused(code)
        judge(peer(from), FAULTS.has(code) ? reject(code) : ignore(code))
      },
      onDropped: () => tally.refused('E_BFT_DROPPED'),
      onMissedProposal: () => (tally.counters.missedProposals += 1),
      onInvalidBlock: (code, proposer) => {
        log.warn('a proposed epoch is not valid', { code, proposer: peerIdOf(proposer) })
        tally.refused(code)
        // What failed here is not the proposer's fault.
        if (BLOCK_FAULT.test(code)) judge(peer(proposer), reject(code))
      },
      onProposalFailed: (round, cause) => log.warn('no epoch to propose', { round, reason: messageOf(cause) }),
      onEquivocation: ({ first }) =>
        log.warn('a validator contradicted itself', { validator: peerIdOf(first.validator), height: first.height }),
      onFatal,
    }
  }
}

/** Whether the bytes are the block that the value names, header and lists. */
export function isBlock({ value, bytes }: ProposedBlock): boolean {
  const block = openBlock(bytes)
  return typeof block !== 'string' && equalBytes(block.value, value)
}
