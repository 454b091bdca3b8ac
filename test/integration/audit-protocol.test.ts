import { setTimeout as delay } from 'node:timers/promises'
import { expect } from 'chai'
import {
  askResults,
  AUDIT_PROTOCOL,
  challenge,
  createAuditHandler,
  deadlineMs,
  proofOf,
  ProofHash,
  type AuditHandler,
  type AuditHandlerInit,
} from '../../protocols/audit/index.ts'
import { answerCodec, requestCodec } from '../../protocols/audit/codec.ts'
import { MAX_ANSWERS_PER_PEER, READ_BYTES_PER_MINUTE_PER_PEER } from '../../protocols/audit/constants.ts'
import { openStream } from '../../protocols/shared/open-stream.ts'
import { readFrames, writeFrame } from '../../protocols/shared/frames.ts'
import { collectAll, codeThrown } from '../helpers/content-node.ts'
import { connect, startLibp2p, until, type TestLibp2p } from '../helpers/libp2p-pair.ts'

const bytes = (value: number, length = 34) => new Uint8Array(length).fill(value)
const ASKED = { pin: 'bafy', salt: bytes(1, 32), blocks: [bytes(2), bytes(3)] }

describe('/kairos/audit/1.0.0 between two nodes', () => {
  let asker: TestLibp2p
  let answerer: TestLibp2p
  let handler: AuditHandler
  let refused: string[]
  let judged: string[]
  const { signal } = new AbortController()

  const answerWith = async (init: Partial<AuditHandlerInit> = {}): Promise<void> => {
    handler = createAuditHandler({
      libp2p: answerer,
      source: { claims: async () => true, read: async (multihash) => multihash },
      results: () => ({ rows: [], next: 0 }),
      isOfCell: () => true,
      refused: (_peer, code) => void refused.push(code),
      judge: (_peer, verdict) => void judged.push(verdict.kind === 'accept' ? '' : verdict.code),
      log: answerer.logger.forComponent('audit'),
      ...init,
    })
    await handler.start()
  }
  const ask = (deadline = 5_000, asked = ASKED) =>
    challenge(asker, answerer.peerId, asked, { signal, deadlineMs: deadline })
  /** Sends frames as they are. @returns what came back before the end or the reset */
  const sendRaw = async (...frames: Uint8Array[]): Promise<Uint8Array[]> => {
    const stream = await openStream(asker, answerer.peerId, AUDIT_PROTOCOL)
    const answers = collectAll(readFrames(stream, { maxFrameBytes: 65_536 })).catch(() => [])
    for (const frame of frames) await writeFrame(stream, frame).catch(() => undefined)
    await stream.close().catch(() => undefined)
    return answers
  }

  beforeEach(async () => {
    ;[refused, judged] = [[], []]
    ;[asker, answerer] = await Promise.all([startLibp2p(), startLibp2p()])
    await connect(asker, answerer)
  })
  afterEach(async () => {
    await handler?.stop()
    await Promise.all([asker.stop(), answerer.stop()])
  })

  it('proves what it has, for itself alone', async () => {
    await answerWith()
    const hash = new ProofHash(ASKED.salt)
    for (const each of ASKED.blocks) hash.add(each)
    const digest = Buffer.from(proofOf(hash.digest(), answerer.peerId.toString()))
    expect(await ask()).to.deep.equal({ type: 'proof', digest: new Uint8Array(digest) })
    expect(refused).to.deep.equal([])
  })

  it('says what is missing, and what it does not claim', async () => {
    await answerWith({
      source: { claims: async (pin) => pin === 'bafy', read: async (each) => (each[0] === 3 ? undefined : each) },
    })
    expect(await ask()).to.deep.equal({ type: 'missing', block: bytes(3) })
    expect(await ask(5_000, { ...ASKED, pin: 'other' })).to.deep.equal({ type: 'unclaimed' })
  })

  it('tells its verdicts', async () => {
    const rows: [string, string, boolean, number][] = [['bafy', 'peer', false, 12]]
    await answerWith({ results: (after) => ({ rows, next: after + 1 }) })
    expect(await askResults(asker, answerer.peerId, 6, { signal, deadlineMs: 5_000 })).to.deep.equal({ rows, next: 7 })
  })

  it('waits for a slow disk up to the deadline, and not for one that is slower', async () => {
    const limit = deadlineMs({ blocks: 2, bytes: 68 })
    let readMs = limit / 8
    await answerWith({ source: { claims: async () => true, read: (each) => delay(readMs, each) } })
    expect(await ask(limit)).to.have.property('type', 'proof')
    readMs = limit
    expect(await codeThrown(() => ask(limit))).to.equal('E_TIMEOUT')
  })

  it('does not read on for an asker who has left', async () => {
    let reads = 0
    const go = Promise.withResolvers<void>()
    const read = async (each: Uint8Array) => {
      reads++
      await go.promise
      return each
    }
    await answerWith({ source: { claims: async () => true, read } })
    const left = new AbortController()
    const blocks = Array.from({ length: 64 }, (_, at) => bytes(at))
    const asked = challenge(asker, answerer.peerId, { ...ASKED, blocks }, { signal: left.signal, deadlineMs: 5_000 })
    await until(() => reads === 1)
    left.abort()
    expect(await codeThrown(() => asked)).to.equal('E_ABORTED')
    const streams = () => answerer.getConnections().flatMap((connection) => connection.streams)
    await until(() => !streams().some(({ protocol }) => protocol === AUDIT_PROTOCOL))
    go.resolve()
    await delay(0)
    expect([reads, refused]).to.deep.equal([1, []])
  })

  it('refuses strangers, without reading', async () => {
    await answerWith({ isOfCell: () => false, source: { claims: () => expect.fail(), read: () => expect.fail() } })
    expect(await codeThrown(() => ask())).to.equal('E_AUDIT_STRANGER')
    expect([refused, judged]).to.deep.equal([['E_AUDIT_STRANGER'], []])
  })

  it('refuses a flood, and counts it; who is served is served', async () => {
    const go = Promise.withResolvers<void>()
    let reading = 0
    const read = async (each: Uint8Array) => {
      reading++
      await go.promise
      return each
    }
    await answerWith({ source: { claims: async () => true, read } })
    const served = Array.from({ length: MAX_ANSWERS_PER_PEER }, () => ask())
    await until(() => reading === MAX_ANSWERS_PER_PEER)
    const codes = [await codeThrown(() => ask()), await codeThrown(() => ask()), await codeThrown(() => ask())]
    expect(codes).to.deep.equal(Array.from({ length: 3 }, () => 'E_AUDIT_BUSY'))
    expect(refused).to.deep.equal(codes)
    go.resolve()
    for (const answer of await Promise.all(served)) expect(answer).to.have.property('type', 'proof')
    expect(reading).to.equal(2 * MAX_ANSWERS_PER_PEER)
  })

  it('reads no more for a member than its budget of a minute', async () => {
    let now = 0
    let readBytes = 0
    const block = new Uint8Array(2 ** 21)
    const read = async () => {
      readBytes += block.byteLength
      return block
    }
    await answerWith({ now: () => now, source: { claims: async () => true, read } })
    const whole = { ...ASKED, blocks: Array.from({ length: 64 }, (_, at) => bytes(at)) }
    const flood = async () => {
      for (;;) await ask(30_000, whole)
    }
    expect(await codeThrown(flood)).to.equal('E_AUDIT_BUDGET')
    expect(readBytes).to.be.at.most(READ_BYTES_PER_MINUTE_PER_PEER + block.byteLength)
    expect(await codeThrown(() => ask())).to.equal('E_AUDIT_BUDGET')
    const results = askResults(asker, answerer.peerId, 0, { signal, deadlineMs: 5_000 })
    expect(await codeThrown(() => results)).to.equal('E_AUDIT_BUDGET')
    expect(refused).to.deep.equal(Array.from({ length: 3 }, () => 'E_AUDIT_BUDGET'))
    now += 60_000
    expect(await ask()).to.have.property('type', 'proof')
  })

  const hostile: [string, string, () => Uint8Array[]][] = [
    ['a huge challenge', 'E_FRAME_TOO_LARGE', () => [new Uint8Array(8_193)]],
    ['what is no challenge', 'E_FRAME_MALFORMED', () => [bytes(0xff, 100)]],
    [
      'a salt of a wrong size',
      'E_FRAME_SCHEMA',
      () => [requestCodec.encode({ ...ASKED, type: 'challenge', salt: bytes(1, 8) })],
    ],
    ['nothing', 'E_AUDIT_PROTOCOL', () => []],
    [
      'two challenges',
      'E_AUDIT_PROTOCOL',
      () => Array.from({ length: 2 }, () => requestCodec.encode({ ...ASKED, type: 'challenge' })),
    ],
  ]
  for (const [what, code, frames] of hostile) {
    it(`answers ${what} with nothing, at the sender's cost`, async () => {
      await answerWith({ source: { claims: () => expect.fail(), read: () => expect.fail() } })
      const answers = await sendRaw(...frames())
      for (const each of answers) expect(Buffer.from(each).toString('latin1')).to.include('refused')
      await until(() => judged.length > 0)
      expect([judged, refused]).to.deep.equal([[code], [code]])
    })
  }

  it('takes no answer to what it did not ask', async () => {
    await answerWith({ source: { claims: async () => true, read: async () => undefined } })
    await handler.stop()
    await answerer.handle(AUDIT_PROTOCOL, async (stream) => {
      for await (const frame of readFrames(stream, { maxFrameBytes: 8_192 })) expect(frame).to.not.equal(undefined)
      await writeFrame(stream, answerFrame)
      await stream.close()
    })
    let answerFrame = answerCodec.encode({ type: 'missing', block: bytes(9) })
    expect(await codeThrown(() => ask())).to.equal('E_AUDIT_PROTOCOL')
    answerFrame = answerCodec.encode({ type: 'results', rows: [], next: 0 })
    expect(await codeThrown(() => ask())).to.equal('E_AUDIT_PROTOCOL')
    answerFrame = bytes(0xff)
    expect(await codeThrown(() => ask())).to.equal('E_FRAME_MALFORMED')
  })

  it('says of a node that does not speak it, and of one that is gone, what they are', async () => {
    expect(await codeThrown(() => ask())).to.equal('E_AUDIT_UNSUPPORTED')
    await answerer.stop()
    await until(() => asker.getConnections().length === 0)
    expect(await codeThrown(() => ask())).to.equal('E_PEER_UNREACHABLE')
  })
})
