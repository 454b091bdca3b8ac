import { expect } from 'chai'
import { generateKeyPair } from '@libp2p/crypto/keys'
import type { Ed25519PrivateKey, PeerId } from '@libp2p/interface'
import { peerIdFromPrivateKey } from '@libp2p/peer-id'
import { CID } from 'multiformats/cid'
import { createGenesis, meshIdOf } from '../../../protocols/admission/index.ts'
import { phaseTopic, signReport, type PhaseReport } from '../../../protocols/phase/index.ts'
import { createPulse, type PulseInit } from '../../../node/coherence/pulse.ts'
import { configSchema } from '../../../node/config/schema.ts'
import { founderEntry, identity } from '../admission/fixtures.ts'
import { until } from '../../helpers/libp2p-pair.ts'
import { reportBy } from '../phase/reports.ts'
import { FULL, opened, VALUE } from './transducers.ts'

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
  let height: number
  let recorded: [envelope: Uint8Array, report: PhaseReport][]

  beforeEach(async () => {
    const founder = await identity()
    key = founder.key
    const genesis = createGenesis([founderEntry(founder, 'home')], { name: 'test' })
    const meshId = meshIdOf(genesis)
    mesh = CID.parse(meshId).bytes
    ;[stored, told, sent, kept, strangers, members] = [new Map(), [], [], [], [], new Set()]
    height = 0
    recorded = []
    init = {
      privateKey: key,
      meshId,
      height: () => height,
      paceMs: () => 1000,
      byEpoch: false,
      onReport: (...row) => recorded.push(row),
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

  const reportsOf = (all: Uint8Array[]): PhaseReport[] => opened(all, { mesh, from: key.publicKey.raw })
  /** Runs a pulse until `done` holds. */
  const beat = async (done: () => boolean, change: Partial<PulseInit> = {}): Promise<void> => {
    const pulse = createPulse({ ...init, ...change })
    await pulse.start()
    await until(done)
    await pulse.stop()
  }
  /** Until it has looked three times whether a sample came, and none did. */
  const beatInSilence = (): Promise<void> => {
    let asked = 0
    const isLive = (): boolean => ++asked < 0
    const coherence = Object.defineProperty({ ...init.coherence }, 'isLive', { get: isLive })
    return beat(() => asked >= 3, { coherence })
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
    await beatInSilence()
    expect([sent, told]).to.deep.equal([[], []])
  })

  it('takes any configured period that is no whole number of milliseconds', async () => {
    await beat(() => sent.length === 1, { config: configSchema.parse({ phase: { rate_s: 0.2001 } }) })
    expect(reportsOf(sent)[0]!.periodMs).to.equal(200)
  })

  it('belongs to the epoch after the last one that is known to be final', async () => {
    height = 41
    await beat(() => sent.length === 1)
    height = 45
    await beat(() => sent.length === 2)
    expect(reportsOf(sent).map(({ epoch }) => epoch)).to.deep.equal([42, 46])
    expect(recorded.map(([bytes]) => bytes)).to.deep.equal(sent)
  })

  it('stops once, also when it never started', async () => {
    const pulse = createPulse(init)
    await pulse.stop()
    await pulse.start()
    await Promise.all([pulse.stop(), pulse.stop()])
    expect(sent).to.deep.equal([])
  })

  describe('by epoch', () => {
    beforeEach(() => {
      init = { ...init, byEpoch: true }
    })
    const slow = { config: configSchema.parse({ phase: { rate_s: 60 } }) }

    it('says one report when an epoch has become final, and stores it before it is sent', async () => {
      const pulse = createPulse({ ...init, ...slow })
      await pulse.start()
      for (height of [1, 2, 7]) {
        pulse.advanced()
        await until(() => sent.length > 0 && reportsOf(sent).at(-1)!.epoch === height + 1)
      }
      await pulse.stop()
      expect(reportsOf(sent).map(({ epoch }) => epoch)).to.deep.equal([1, 2, 3, 8])
      expect(told).to.deep.equal(['stored', 'sent', 'stored', 'sent', 'stored', 'sent', 'stored', 'sent'])
      expect(recorded.map(([bytes]) => bytes)).to.deep.equal(sent)
    })

    it('says the same bytes again, once a period, while the epoch has not ended', async () => {
      await beat(() => sent.length === 3)
      expect([sent[1], sent[2]]).to.deep.equal([sent[0], sent[0]])
      expect(told.filter((what) => what === 'stored')).to.have.lengthOf(1)
    })

    it('says the same bytes after a crash between storing and sending', async () => {
      let isDown = true
      const publish: PulseInit['publish'] = (...message) =>
        isDown ? Promise.reject(new Error('gone')) : init.publish(...message)
      await beat(() => told.includes('warned'), { publish, ...slow })
      expect([sent, told]).to.deep.equal([[], ['stored', 'warned']])
      isDown = false
      await beat(() => sent.length === 1, { publish, ...slow })
      expect(sent[0]).to.deep.equal(recorded[0]![0])
      expect(told).to.deep.equal(['stored', 'warned', 'sent'])
    })

    it('never says two things of one epoch, even when the record was put back to an older one', async () => {
      height = 8
      await beat(() => sent.length === 1)
      height = 3
      await beat(() => sent.length === 2)
      expect(sent[1]).to.deep.equal(sent[0])
      height = 9
      await beat(() => sent.length === 3)
      const [first, , third] = reportsOf(sent)
      expect([third!.epoch, third!.seq > first!.seq]).to.deep.equal([10, true])
    })

    it('takes what it stored in another mesh for nothing', async () => {
      await beat(() => sent.length === 1)
      const [name] = [...stored.keys()]
      const other = await signReport(key, reportBy(key, { epoch: 99 }))
      stored.set(name!, other)
      await beat(() => sent.length === 2)
      expect(reportsOf(sent)[1]!.epoch).to.equal(1)
    })

    it('says what belongs to the last of many epochs that pass while the disk stalls', async () => {
      const disk = Promise.withResolvers<void>()
      const store = {
        ...init.store,
        put: (...row: [string, Uint8Array]) => disk.promise.then(() => init.store.put(...row)),
      }
      const pulse = createPulse({ ...init, ...slow, store })
      await pulse.start()
      for (height = 1; height < 100; height++) pulse.advanced()
      disk.resolve()
      await until(() => sent.length === 2)
      await pulse.stop()
      expect(reportsOf(sent).map(({ epoch }) => epoch)).to.deep.equal([1, 101])
    })

    it('is silent while no sample comes, also about what it said before', async () => {
      await beat(() => sent.length === 1)
      await beatInSilence()
      expect(sent).to.have.lengthOf(1)
    })

    it('has a budget that grows with the pace of the epochs', () => {
      const { budget } = createPulse({ ...init, paceMs: () => 50 }).topic
      expect(budget).to.include({ ratePerSecond: 40, burst: 80 })
      expect(createPulse(init).topic.budget).to.include({ ratePerSecond: 10, burst: 20 })
    })
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
      expect(recorded.map(([bytes]) => bytes)).to.deep.equal([heard.data])
    })

    it('may be of long ago when its epoch has not ended', async () => {
      const { topic } = createPulse(init)
      height = 7
      const time = Date.now() - 3_600_000
      const verdictOf = async (epoch: number) => topic.validate(message(await signed({ epoch, time })))
      expect(await Promise.all([8, 9].map(verdictOf))).to.deep.equal([{ kind: 'accept' }, { kind: 'accept' }])
      for (const epoch of [7, 10]) {
        expect(await verdictOf(epoch)).to.deep.equal({ kind: 'ignore', code: 'E_REPORT_TIME' })
      }
    })

    it('whose certificate is unknown is passed on and asked for, not kept', async () => {
      const { topic } = createPulse(init)
      const heard = message(await signed())
      expect(topic.validate(heard)).to.deep.equal({ kind: 'accept' })
      topic.deliver(heard)
      expect([kept, strangers]).to.deep.equal([[], [peer.toString()]])
      // Whose reports count the record knows by itself.
      expect(recorded).to.have.lengthOf(1)
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
