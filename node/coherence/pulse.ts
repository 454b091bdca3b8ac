import type { Ed25519PrivateKey, PeerId } from '@libp2p/interface'
import { peerIdFromPrivateKey } from '@libp2p/peer-id'
import { CID } from 'multiformats/cid'
import type { Genesis } from '../../protocols/admission/index.ts'
import { isReport, openReport, phaseTopic, signReport, type ComplexQ30, type PhaseReport } from '../../protocols/phase/index.ts'
import { codeOf } from '../../protocols/shared/errors.ts'
import { ACCEPT, ignore, reject, type Verdict } from '../../protocols/shared/verdict.ts'
import type { Config } from '../config/schema.ts'
import { AuthorBudget } from '../network/author-budget.ts'
import { ReplayWindow } from '../network/replay-window.ts'
import type { Service } from '../service.ts'
import type { NodeLogger } from '../telemetry/log.ts'
import { quantise } from './global/quantise.ts'
import type { ReportPool } from './reports.ts'
import type { CoherenceService } from './service.ts'

/** Reports an author may send at once after a silence, and per second at twice the configured rate. */
const BURST = 5
/** Sequence numbers set aside per durable write: a crash skips some, none is used twice. */
const SEQUENCES_PER_WRITE = 1024
const SEQUENCE_KEY = 'phase/sequence'
const WINDOWS_KEY = 'phase/windows'

export interface PulseInit {
  privateKey: Ed25519PrivateKey
  genesis: Genesis
  meshId: string
  config: Config
  coherence: CoherenceService
  pool: ReportPool
  /** `put` resolves when the value is durable. */
  store: { get: (key: string) => Promise<Uint8Array | undefined>; put: (key: string, value: Uint8Array) => Promise<void> }
  publish: (topic: string, bytes: Uint8Array) => Promise<void>
  /** Called for an author that no admission has proven yet. */
  onStranger: (author: PeerId) => void
  isMember: (peerId: string) => boolean
  log: NodeLogger
}

/** The mesh's pulse: this node's signed report out, the others' reports in. */
export interface Pulse extends Service {
  readonly topic: string
  receive(author: PeerId, carrier: PeerId, data: Uint8Array): Verdict
}

export function createPulse(init: PulseInit): Pulse {
  const { privateKey, pool, config, log } = init
  const self = peerIdFromPrivateKey(privateKey)
  const mesh = CID.parse(init.meshId).bytes
  const rateMs = config.phase.rate_s * 1000
  const budget = new AuthorBudget({ ratePerSecond: Math.max(2 / config.phase.rate_s, 0.5), burst: BURST })
  const replays = new ReplayWindow()
  let sequence = 0
  let reserved = 0
  let timer: NodeJS.Timeout | undefined
  let sending: Promise<void> = Promise.resolve()

  function receive(author: PeerId, carrier: PeerId, data: Uint8Array): Verdict {
    if (author.equals(self)) return reject('E_GOSSIP_SELF')
    const key = author.publicKey
    if (key?.type !== 'Ed25519') return reject('E_REPORT_AUTHOR')
    const name = author.toString()
    const verdict = budget.spend(name, carrier.toString(), performance.now())
    if (verdict.kind !== 'accept') return verdict
    const report = openReport(data, { mesh, from: key.raw, nowMs: Date.now() })
    if (!isReport(report)) return report
    if (!replays.accept(name, BigInt(report.seq))) return ignore('E_REPORT_REPLAY')
    pool.put(name, report)
    if (!init.isMember(name)) init.onStranger(author)
    return ACCEPT
  }

  /** Persist before send: a number is set aside durably before the first report carries it. */
  async function nextSequence(): Promise<number> {
    if (sequence + 1 >= reserved) {
      reserved = sequence + 1 + SEQUENCES_PER_WRITE
      await init.store.put(SEQUENCE_KEY, Buffer.from(String(reserved)))
    }
    return ++sequence
  }

  async function report(): Promise<void> {
    if (!init.coherence.isLive(rateMs * config.phase.stale_periods)) return
    const document = reportOf(init, mesh, await nextSequence())
    pool.put(self.toString(), document)
    await init.publish(phaseTopic(init.meshId), await signReport(privateKey, document))
  }

  return {
    name: 'phase',
    topic: phaseTopic(init.meshId),
    receive,
    async start() {
      sequence = Number((await init.store.get(SEQUENCE_KEY)) ?? 0)
      reserved = sequence
      const windows = await init.store.get(WINDOWS_KEY)
      if (windows !== undefined) replays.restore(windows)
      timer = setInterval(() => {
        sending = sending.then(report).catch((error: unknown) => log.warn('report not sent', { code: codeOf(error) }))
      }, rateMs)
    },
    async stop() {
      clearInterval(timer)
      await sending
      if (timer !== undefined) await init.store.put(WINDOWS_KEY, replays.save())
      timer = undefined
    },
  }
}

function reportOf({ coherence, genesis, privateKey }: PulseInit, mesh: Uint8Array, seq: number): PhaseReport {
  const { own } = coherence.engine
  const { emissary, master, sync } = coherence.engine.document()
  const time = Date.now()
  return {
    mesh,
    author: privateKey.publicKey.raw,
    epoch: Math.max(0, Math.floor((time - genesis.created) / 1000)),
    seq,
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
