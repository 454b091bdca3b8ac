import type { Ed25519PrivateKey, PeerId } from '@libp2p/interface'
import { peerIdFromPrivateKey } from '@libp2p/peer-id'
import { CID } from 'multiformats/cid'
import { equals } from 'uint8arrays/equals'
import {
  isReport,
  MIN_PERIOD_MS,
  openReport,
  phaseTopic,
  readReport,
  signReport,
  type ComplexQ30,
  type PhaseReport,
} from '../../protocols/phase/index.ts'
import { codeOf } from '../../protocols/shared/errors.ts'
import { ACCEPT, ignore, reject, type Verdict } from '../../protocols/shared/verdict.ts'
import type { Config } from '../config/schema.ts'
import { TokenBuckets } from '../network/token-bucket.ts'
import type { GossipMessage, TopicSpec } from '../network/types.ts'
import type { Service } from '../service.ts'
import type { Log } from '../telemetry/log.ts'
import { quantise } from './global/quantise.ts'
import { OwnReports } from './own-reports.ts'
import type { ReportPool } from './reports.ts'
import type { CoherenceService } from './service.ts'

/** Faster than this no epochs are made, whatever the policy says. */
const LEAST_EPOCH_MS = 25
/** Heights after the last final epoch whose reports are for the record: others may be one ahead. */
const EPOCHS_AHEAD = 2
/** Reports of authors without a known certificate that one carrier may bring. */
const STRANGER_BUDGET = { ratePerSecond: 20, burst: 100 }
const MAX_CARRIERS = 1024

export interface PulseInit {
  privateKey: Ed25519PrivateKey
  meshId: string
  config: Config
  coherence: CoherenceService
  pool: ReportPool
  /** `put` resolves when the value is durable. */
  store: {
    get: (key: string) => Promise<Uint8Array | undefined>
    put: (key: string, value: Uint8Array) => Promise<void>
  }
  publish: (topic: string, bytes: Uint8Array) => Promise<void>
  /** Of the last epoch that is final, as far as this node knows. */
  height: () => number
  /** Least time between two epochs, ms. */
  paceMs: () => number
  /** Whether this node's reports count in the record: then it makes one for each epoch. */
  byEpoch: boolean
  /** Told of every valid signed report, this node's own included. */
  onReport: (envelope: Uint8Array, report: PhaseReport) => void
  /** Called for an author that no admission has proven yet. */
  onStranger: (author: PeerId) => void
  isMember: (peerId: string) => boolean
  log: Log
}

/** The mesh's pulse: this node's signed report out, the others' reports in. */
export interface Pulse extends Service {
  /** For the network: what may be said on the topic, and what becomes of it. */
  readonly topic: TopicSpec
  /** An epoch has become final, and this node has all there are: it says what belongs to the next one. */
  advanced(): void
}

export function createPulse(init: PulseInit): Pulse {
  const { privateKey, pool, config, log } = init
  const self = peerIdFromPrivateKey(privateKey)
  const mesh = CID.parse(init.meshId).bytes
  const rateMs = Math.round(config.phase.rate_s * 1000)
  const strangers = new TokenBuckets(MAX_CARRIERS)
  /** What `validate` just opened: gossip delivers in the same turn, or not at all. */
  let opened: { data: Uint8Array; report: PhaseReport } | undefined
  const budget = {
    get ratePerSecond() {
      return reportsPerSecond(init.paceMs())
    },
    get burst() {
      return 2 * reportsPerSecond(init.paceMs())
    },
  }
  const own = new OwnReports({
    store: init.store,
    byEpoch: init.byEpoch,
    make: (stamp) => reportOf(init, { ...stamp, mesh, periodMs: rateMs }),
    sign: (report) => signReport(privateKey, report),
    open: (bytes) => ownReport(bytes, mesh, privateKey.publicKey.raw),
  })
  let timer: NodeJS.Timeout | undefined
  let sending: Promise<void> | undefined
  /** Since the last tick of the timer. */
  let hasSpoken = false
  /** An epoch became final while a report was on its way. */
  let hasAdvanced = false
  let isStopped = false

  /** On the bytes alone; what is accepted here may still be a replay, so nothing is kept yet. */
  function validate({ author, carrier, data }: GossipMessage): Verdict {
    const key = author.publicKey
    if (key?.type !== 'Ed25519') return reject('E_REPORT_AUTHOR')
    const known = init.isMember(author.toString())
    if (!known && !strangers.take(carrier.toString(), STRANGER_BUDGET, performance.now())) {
      return ignore('E_REPORT_STRANGER')
    }
    const report = openReport(data, { mesh, from: key.raw, nowMs: Date.now(), isOpen })
    if (!isReport(report)) return report
    opened = { data, report }
    return ACCEPT
  }

  function deliver({ author, data }: GossipMessage): void {
    if (opened?.data !== data) return
    if (init.isMember(author.toString())) pool.put(author.toString(), opened.report)
    else init.onStranger(author)
    // The record knows by itself whose reports count.
    init.onReport(data, opened.report)
  }

  function isOpen(epoch: number): boolean {
    const height = init.height()
    return epoch > height && epoch <= height + EPOCHS_AHEAD
  }

  async function say(isDue: boolean): Promise<void> {
    if (!init.coherence.isLive) return
    const { bytes, report, isNew } = await own.of(init.height() + 1)
    if (!isNew && !isDue) return
    hasSpoken = true
    pool.put(self.toString(), report)
    init.onReport(bytes, report)
    await init.publish(phaseTopic(init.meshId), bytes)
  }

  /** Turns in which the disk or the network stalls are skipped, but for the last: a backlog would look like a flood. */
  function speak(isDue: boolean): void {
    if (isStopped) return
    sending ??= say(isDue)
      .catch((error: unknown) => log.warn('report not sent', { code: codeOf(error) }))
      .finally(() => {
        sending = undefined
        if (hasAdvanced) advanced()
      })
  }

  function advanced(): void {
    hasAdvanced = sending !== undefined
    if (init.byEpoch) speak(false)
  }

  /** What belongs to an epoch that takes long is said again, so that others see that this node is there. */
  function tick(): void {
    if (init.byEpoch && hasSpoken) hasSpoken = false
    else speak(true)
  }

  return {
    name: 'phase',
    topic: {
      topic: phaseTopic(init.meshId),
      budget,
      validate,
      deliver,
    },
    advanced,
    async start() {
      await own.open()
      timer = setInterval(tick, rateMs)
      if (init.byEpoch) speak(true)
    },
    async stop() {
      isStopped = true
      clearInterval(timer)
      await sending
    },
  }
}

/** Twice as often as any node may be configured to report, or as there are epochs, whatever this one is configured to. */
function reportsPerSecond(paceMs: number): number {
  return 2000 / Math.min(MIN_PERIOD_MS, Math.max(paceMs, LEAST_EPOCH_MS))
}

/** @returns undefined for what another key, or this one in another mesh, has left */
function ownReport(bytes: Uint8Array, mesh: Uint8Array, author: Uint8Array): PhaseReport | undefined {
  const report = readReport(bytes, mesh)
  return isReport(report) && equals(report.author, author) ? report : undefined
}

function reportOf(
  { coherence, privateKey }: PulseInit,
  stamp: Pick<PhaseReport, 'mesh' | 'periodMs' | 'seq' | 'epoch'>,
): PhaseReport {
  const { own } = coherence.engine
  const { emissary, master, sync } = coherence.engine.document()
  return {
    ...stamp,
    author: privateKey.publicKey.raw,
    time: Date.now(),
    emissary: q30(emissary?.t ?? [0, 0]),
    master: master === null ? null : q30(master.t),
    sync: q30([own.t.re, own.t.im]),
    nEffMilli: Math.round(own.nEff * 1000),
    collapsed: { emissary: emissary?.collapsed ?? false, master: master?.collapsed ?? false, sync: own.collapsed },
    alignment:
      sync === null
        ? null
        : { magnitude: quantise(Math.min(1, sync.deltaMagnitude)), argument: Math.round(sync.deltaArgument * 1e6) },
    heads: [],
  }
}

function q30([re, im]: [number, number]): ComplexQ30 {
  return [quantise(re), quantise(im)]
}
