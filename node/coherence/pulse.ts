import type { Ed25519PrivateKey, PeerId } from '@libp2p/interface'
import { peerIdFromPrivateKey } from '@libp2p/peer-id'
import { CID } from 'multiformats/cid'
import type { Genesis } from '../../protocols/admission/index.ts'
import {
  isReport,
  MIN_PERIOD_MS,
  openReport,
  phaseTopic,
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
import type { ReportPool } from './reports.ts'
import type { CoherenceService } from './service.ts'

/** Twice as often as any node may be configured to report, whatever this one is configured to. */
const AUTHOR_BUDGET = { ratePerSecond: 2000 / MIN_PERIOD_MS, burst: 20 }
/** Reports of authors without a known certificate that one carrier may bring. */
const STRANGER_BUDGET = { ratePerSecond: 20, burst: 100 }
const MAX_CARRIERS = 1024
/** Sequence numbers set aside per durable write: a crash skips some, none is used twice. */
const SEQUENCES_PER_WRITE = 1024
const SEQUENCE_KEY = 'phase/sequence'

export interface PulseInit {
  privateKey: Ed25519PrivateKey
  genesis: Genesis
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
  /** Called for an author that no admission has proven yet. */
  onStranger: (author: PeerId) => void
  isMember: (peerId: string) => boolean
  log: Log
}

/** The mesh's pulse: this node's signed report out, the others' reports in. */
export interface Pulse extends Service {
  /** For the network: what may be said on the topic, and what becomes of it. */
  readonly topic: TopicSpec
}

export function createPulse(init: PulseInit): Pulse {
  const { privateKey, pool, config, log } = init
  const self = peerIdFromPrivateKey(privateKey)
  const mesh = CID.parse(init.meshId).bytes
  const rateMs = Math.round(config.phase.rate_s * 1000)
  const strangers = new TokenBuckets(MAX_CARRIERS)
  /** What `validate` just opened: gossip delivers in the same turn, or not at all. */
  let opened: { data: Uint8Array; report: PhaseReport } | undefined
  let sequence = 0
  let reserved = 0
  let timer: NodeJS.Timeout | undefined
  let sending: Promise<void> | undefined

  /** On the bytes alone; what is accepted here may still be a replay, so nothing is kept yet. */
  function validate({ author, carrier, data }: GossipMessage): Verdict {
    const key = author.publicKey
    if (key?.type !== 'Ed25519') return reject('E_REPORT_AUTHOR')
    const known = init.isMember(author.toString())
    if (!known && !strangers.take(carrier.toString(), STRANGER_BUDGET, performance.now())) {
      return ignore('E_REPORT_STRANGER')
    }
    const report = openReport(data, { mesh, from: key.raw, nowMs: Date.now() })
    if (!isReport(report)) return report
    opened = { data, report }
    return ACCEPT
  }

  function deliver({ author, data }: GossipMessage): void {
    if (opened?.data !== data) return
    if (init.isMember(author.toString())) pool.put(author.toString(), opened.report)
    else init.onStranger(author)
  }

  /** Persist before send: a number is set aside durably before the first report carries it. */
  async function nextSequence(): Promise<number> {
    if (sequence + 1 >= reserved) {
      const until = sequence + 1 + SEQUENCES_PER_WRITE
      await init.store.put(SEQUENCE_KEY, Buffer.from(String(until)))
      reserved = until
    }
    return ++sequence
  }

  async function report(): Promise<void> {
    if (!init.coherence.isLive) return
    const document = reportOf(init, { mesh, periodMs: rateMs, seq: await nextSequence() })
    pool.put(self.toString(), document)
    await init.publish(phaseTopic(init.meshId), await signReport(privateKey, document))
  }

  return {
    name: 'phase',
    topic: {
      topic: phaseTopic(init.meshId),
      budget: AUTHOR_BUDGET,
      validate,
      deliver,
    },
    async start() {
      const stored = await init.store.get(SEQUENCE_KEY)
      // The clock too, in milliseconds: a store that was lost must not silence this key for others.
      sequence = Math.max(Date.now(), Number(Buffer.from(stored ?? [48]).toString()))
      reserved = sequence
      timer = setInterval(() => {
        // A period in which the disk or the network stalls is skipped: a backlog would look like a flood.
        sending ??= report()
          .catch((error: unknown) => log.warn('report not sent', { code: codeOf(error) }))
          .finally(() => (sending = undefined))
      }, rateMs)
    },
    async stop() {
      clearInterval(timer)
      await sending
    },
  }
}

function reportOf(
  { coherence, genesis, privateKey }: PulseInit,
  stamp: Pick<PhaseReport, 'mesh' | 'periodMs' | 'seq'>,
): PhaseReport {
  const { own } = coherence.engine
  const { emissary, master, sync } = coherence.engine.document()
  const time = Date.now()
  return {
    ...stamp,
    author: privateKey.publicKey.raw,
    epoch: Math.max(0, Math.floor((time - genesis.created) / 1000)),
    time,
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
