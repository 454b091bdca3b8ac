import { expect } from 'chai'
import { generateKeyPair } from '@libp2p/crypto/keys'
import type { Ed25519PrivateKey, PeerId } from '@libp2p/interface'
import { peerIdFromPrivateKey } from '@libp2p/peer-id'
import { CID } from 'multiformats/cid'
import { createGenesis, meshIdOf } from '../../../protocols/admission/index.ts'
import { isReport, openReport, phaseTopic, signReport, type PhaseReport } from '../../../protocols/phase/index.ts'
import { createPulse, type PulseInit } from '../../../node/coherence/pulse.ts'
import { configSchema } from '../../../node/config/schema.ts'
import { founderEntry, identity } from '../admission/fixtures.ts'
import { until } from '../../helpers/libp2p-pair.ts'
import { reportBy } from '../phase/reports.ts'

const VALUE = { t: { re: 0.5, im: -0.25 }, nEff: 20, collapsed: false }
const SHOWN = { t: [0.5, -0.25], magnitudeSquared: 0.3125, collapsed: false, nEff: 20, falseAlarm: 0 }
const FULL = {
  emissary: SHOWN,
  master: SHOWN,
  sync: { ...SHOWN, deltaMagnitude: 0, deltaArgument: 0, realignments: 0 },
}

describe('pulse', () => {
  let key: Ed25519PrivateKey
  let mesh: Uint8Array
  let stored: Map<string, Uint8Array>
  let told: string[]
  let sent: Uint8Array[]
  let kept: [peerId: string, report: PhaseReport][]
  let strangers: string[]
  let members: Set<string>
  let init: PulseInit

  beforeEach(async () => {
    const founder = await identity()
    key = founder.key
    const genesis = createGenesis([founderEntry(founder, 'home')], { name: 'test' })
    const meshId = meshIdOf(genesis)
    mesh = CID.parse(meshId).bytes
    ;[stored, told, sent, kept, strangers, members] = [new Map(), [], [], [], [], new Set()]
    init = {
      privateKey: key,
      genesis,
      meshId,
      config: configSchema.parse({ phase: { rate_s: 0.2 } }),
      coherence: { isLive: true, engine: { own: VALUE, document: () => FULL } } as unknown as PulseInit['coherence'],
      pool: { put: (...row: [string, PhaseReport]) => kept.push(row) > 0 } as unknown as PulseInit['pool'],
      store: {
        get: async (name) => stored.get(name),
        put: async (name, value) => {
          told.push('stored')
          stored.set(name, value)
        },
      },
      publish: async (topic, bytes) => {
        expect(topic).to.equal(phaseTopic(meshId))
        told.push('sent')
        sent.push(bytes)
      },
      onStranger: (author) => strangers.push(author.toString()),
      isMember: (peerId) => members.has(peerId),
      log: Object.assign(() => undefined, { warn: () => told.push('warned') }) as unknown as PulseInit['log'],
    }
  })

  const reportsOf = (all: Uint8Array[]): PhaseReport[] =>
    all.map((bytes) => {
      const report = openReport(bytes, { mesh, from: key.publicKey.raw, nowMs: Date.now() })
      if (!isReport(report)) throw new Error(report.kind)
      return report
    })
  /** Runs a pulse until `done` holds. */
  const beat = async (done: () => boolean, change: Partial<PulseInit> = {}): Promise<void> => {
    const pulse = createPulse({ ...init, ...change })
    await pulse.start()
    await until(done)
    await pulse.stop()
  }

  it('says what the transducers say, once a period, and keeps it too', async () => {
    await beat(() => sent.length === 2)
    const reports = reportsOf(sent)
    const half = [2 ** 29, -(2 ** 28)]
    expect(reports[0]).to.deep.include({ emissary: half, master: half, sync: half, nEffMilli: 20_000, periodMs: 200 })
    expect(reports[1]!.seq).to.equal(reports[0]!.seq + 1)
    expect(kept.map(([peerId, { seq }]) => [peerId, seq])).to.deep.equal(
      reports.map(({ seq }) => [peerIdFromPrivateKey(key).toString(), seq]),
    )
  })

  it('stores a number before the first report that carries it', async () => {
    await beat(() => sent.length === 2)
    expect(told).to.deep.equal(['stored', 'sent', 'sent'])
  })

  it('uses no number twice, neither after a crash nor with a clock set back', async () => {
    await beat(() => sent.length === 2)
    const before = reportsOf(sent).map(({ seq }) => seq)
    // A year ahead of the clock, as a clock set back would have left it.
    const ahead = Math.max(...before) + 31_536_000_000
    stored.set([...stored.keys()][0]!, Buffer.from(String(ahead)))
    sent = []
    await beat(() => sent.length === 1)
    expect(reportsOf(sent)[0]!.seq).to.be.greaterThan(ahead)
  })

  it('says nothing while a number cannot be stored', async () => {
    const store = { ...init.store, put: () => Promise.reject(new Error('full')) }
    await beat(() => told.filter((what) => what === 'warned').length === 3, { store })
    expect([sent, kept]).to.deep.equal([[], []])
  })

  it('is silent while no sample comes', async () => {
    let asked = 0
    const coherence = {
      ...init.coherence,
      engine: init.coherence.engine,
      get isLive() {
        return ++asked < 0
      },
    }
    await beat(() => asked >= 3, { coherence })
    expect([sent, told]).to.deep.equal([[], []])
  })

  it('takes any configured period that is no whole number of milliseconds', async () => {
    await beat(() => sent.length === 1, { config: configSchema.parse({ phase: { rate_s: 0.2001 } }) })
    expect(reportsOf(sent)[0]!.periodMs).to.equal(200)
  })

  it('stops once, also when it never started', async () => {
    const pulse = createPulse(init)
    await pulse.stop()
    await pulse.start()
    await Promise.all([pulse.stop(), pulse.stop()])
    expect(sent).to.deep.equal([])
  })

  describe('of another', () => {
    let author: Ed25519PrivateKey
    let peer: PeerId
    beforeEach(async () => {
      author = await generateKeyPair('Ed25519')
      peer = peerIdFromPrivateKey(author)
    })
    const message = (data: Uint8Array, from = peer) => ({
      topic: phaseTopic(init.meshId),
      data,
      author: from,
      carrier: peer,
    })
    const signed = (change: Partial<PhaseReport> = {}) =>
      signReport(author, reportBy(author, { mesh, time: Date.now(), ...change }))

    it('is kept when it is a member’s, once gossip delivers it', async () => {
      members.add(peer.toString())
      const { topic } = createPulse(init)
      const heard = message(await signed({ seq: 9 }))
      expect(topic.validate(heard)).to.deep.equal({ kind: 'accept' })
      expect(kept).to.deep.equal([])
      topic.deliver(heard)
      expect(kept.map(([id, { seq }]) => [id, seq])).to.deep.equal([[peer.toString(), 9]])
    })

    it('whose certificate is unknown is passed on and asked for, not kept', async () => {
      const { topic } = createPulse(init)
      const heard = message(await signed())
      expect(topic.validate(heard)).to.deep.equal({ kind: 'accept' })
      topic.deliver(heard)
      expect([kept, strangers]).to.deep.equal([[], [peer.toString()]])
    })

    it('brought by one carrier for ever new authors is cut to a budget', async () => {
      const { topic } = createPulse(init)
      const heard = message(await signed())
      const verdicts = Array.from({ length: 200 }, () => topic.validate(heard).kind)
      expect(verdicts.filter((kind) => kind === 'accept').length).to.be.within(100, 120)
      expect(verdicts.at(-1)).to.equal('ignore')
    })

    it('that is malformed, of another mesh, or another author’s is rejected and never delivered', async () => {
      members.add(peer.toString())
      const { topic } = createPulse(init)
      const other = (await identity()).peerId
      for (const [heard, code] of [
        [message(Buffer.from('garbage')), 'E_FRAME_MALFORMED'],
        [message(await signed({ mesh: Buffer.from('other') })), 'E_REPORT_MESH'],
        [message(await signed(), other), 'E_REPORT_AUTHOR'],
      ] as const) {
        expect(topic.validate(heard)).to.deep.equal({ kind: 'reject', code })
        topic.deliver(heard)
      }
      expect(kept).to.deep.equal([])
    })
  })
})
