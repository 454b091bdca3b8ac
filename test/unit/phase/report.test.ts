import { expect } from 'chai'
import { encode } from '@ipld/dag-cbor'
import { generateKeyPair } from '@libp2p/crypto/keys'
import type { Ed25519PrivateKey } from '@libp2p/interface'
import { envelopeCodec, encodeReport, type PhaseReport } from '../../../protocols/phase/codec.ts'
import { isMeanOfHalves, MAX_REPORT_BYTES, openReport, readReport, signReport } from '../../../protocols/phase/index.ts'
import { sign } from '../../../protocols/shared/signature.ts'
import { MESH, NOW, reportBy } from './reports.ts'

const Q30_ONE = 2 ** 30

describe('phase report', () => {
  let key: Ed25519PrivateKey
  let report: PhaseReport
  before(async () => {
    key = await generateKeyPair('Ed25519')
    report = reportBy(key)
  })

  const open = (bytes: Uint8Array) => openReport(bytes, { mesh: MESH, from: key.publicKey.raw, nowMs: NOW })
  const opened = async (change: Partial<PhaseReport>) => open(await signReport(key, { ...report, ...change }))

  it('comes out as it went in, within 512 bytes at its largest', async () => {
    const largest: Partial<PhaseReport> = {
      epoch: Number.MAX_SAFE_INTEGER,
      seq: Number.MAX_SAFE_INTEGER,
      nEffMilli: Number.MAX_SAFE_INTEGER,
      master: [-Q30_ONE, 0],
      emissary: [0, -Q30_ONE],
      heads: [new Uint8Array(48), new Uint8Array(48)],
      alignment: { magnitude: Q30_ONE, argument: 3_141_593 },
    }
    const bytes = await signReport(key, { ...report, ...largest })
    expect(bytes.byteLength).to.be.at.most(MAX_REPORT_BYTES)
    expect(open(bytes)).to.deep.equal({ ...report, ...largest })
  })

  it('of a light node has no master and no alignment', async () => {
    expect(await opened({ master: null, alignment: null })).to.deep.equal({ ...report, master: null, alignment: null })
  })

  it('is signed by its author only', async () => {
    const other = await generateKeyPair('Ed25519')
    const failure = await signReport(other, report).catch((error: unknown) => error)
    expect(failure).to.have.property('code', 'E_REPORT_AUTHOR')
  })

  it('of another mesh is rejected', async () => {
    expect(await opened({ mesh: Buffer.from('other') })).to.deep.equal({ kind: 'reject', code: 'E_REPORT_MESH' })
  })

  it('of an author who is not the origin of the message is rejected', async () => {
    const other = await generateKeyPair('Ed25519')
    expect(open(await signReport(other, reportBy(other)))).to.deep.equal({ kind: 'reject', code: 'E_REPORT_AUTHOR' })
  })

  it('with another signature, or one of another domain, is rejected', async () => {
    const body = encodeReport(report)
    const rejected = { kind: 'reject', code: 'E_REPORT_SIGNATURE' }
    expect(open(envelopeCodec.encode({ b: body, s: new Uint8Array(64) }))).to.deep.equal(rejected)
    const foreign = await sign(key, 'kairos/status/1', body)
    expect(open(envelopeCodec.encode({ b: body, s: foreign }))).to.deep.equal(rejected)
  })

  it('whose time is over a minute away is ignored: its clock is wrong, or ours', async () => {
    for (const time of [NOW + 60_001, NOW - 60_001]) {
      expect(await opened({ time })).to.deep.equal({ kind: 'ignore', code: 'E_REPORT_TIME' })
    }
    for (const time of [NOW + 60_000, NOW - 60_000]) expect(await opened({ time })).to.have.property('time', time)
  })

  it('of an epoch that has no end yet may be of long ago, and of no other time to come', async () => {
    const openAt = async (time: number, isOpen: (epoch: number) => boolean) =>
      openReport(await signReport(key, { ...report, time }), {
        mesh: MESH,
        from: key.publicKey.raw,
        nowMs: NOW,
        isOpen,
      })
    const late = { kind: 'ignore', code: 'E_REPORT_TIME' }
    expect(await openAt(NOW - 3_600_000, (epoch) => epoch === 7)).to.have.property('epoch', 7)
    expect(await openAt(NOW - 3_600_000, (epoch) => epoch === 8)).to.deep.equal(late)
    expect(await openAt(NOW + 60_001, () => true)).to.deep.equal(late)
  })

  it('is read from the record whoever brings it and whenever, in one form of bytes only', async () => {
    const long = { ...report, time: NOW - 86_400_000_000 }
    const bytes = await signReport(key, long)
    expect(readReport(bytes, MESH)).to.deep.equal(long)
    expect(readReport(bytes, Buffer.from('other'))).to.deep.equal({ kind: 'reject', code: 'E_REPORT_MESH' })
    const { b, s } = envelopeCodec.decode(bytes)
    // A map whose keys stand in another order: the same report, other bytes.
    const swapped = Buffer.concat([bytes.subarray(0, 1), encode('s'), encode(s), encode('b'), encode(b)])
    for (const verdict of [readReport(swapped, MESH), open(swapped)]) {
      expect(verdict).to.deep.equal({ kind: 'reject', code: 'E_FRAME_MALFORMED' })
    }
    s[0]! ^= 1
    expect(readReport(envelopeCodec.encode({ b, s }), MESH)).to.deep.equal({
      kind: 'reject',
      code: 'E_REPORT_SIGNATURE',
    })
  })

  it('knows whether T_sync is the mean of the two it comes from', () => {
    expect(isMeanOfHalves(report)).to.equal(true)
    expect(isMeanOfHalves({ ...report, sync: [2 ** 29 + 1, -1] })).to.equal(true)
    expect(isMeanOfHalves({ ...report, sync: [2 ** 29 + 2, 0] })).to.equal(false)
    expect(isMeanOfHalves({ ...report, master: null })).to.equal(false)
  })

  it('that claims more than coherence can be is rejected', async () => {
    for (const change of [
      { sync: [Q30_ONE, Q30_ONE] },
      { emissary: [Q30_ONE + 1, 1] },
      { master: [0.5, 0] },
      { nEffMilli: -1 },
      { periodMs: 0 },
    ] as Partial<PhaseReport>[]) {
      expect(await opened(change), JSON.stringify(change)).to.deep.equal({ kind: 'reject', code: 'E_FRAME_SCHEMA' })
    }
  })

  it('of any other bytes is rejected', async () => {
    const good = await signReport(key, report)
    for (const bytes of [
      new Uint8Array(0),
      good.subarray(0, good.length - 1),
      new Uint8Array(MAX_REPORT_BYTES + 1),
      encode({ b: encodeReport(report) }),
      encode({ b: 1, s: new Uint8Array(64) }),
    ]) {
      expect(open(bytes)).to.include({ kind: 'reject' })
    }
  })
})
