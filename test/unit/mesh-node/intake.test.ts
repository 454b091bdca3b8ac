import { expect } from 'chai'
import { certificateCodec, plain, type MeshState } from '../../../consensus/epoch/index.ts'
import { EpochIntake } from '../../../node/mesh/intake.ts'
import { verifyAside } from '../../../protocols/shared/signature.ts'
import type { SyncEpoch } from '../../../protocols/sync/index.ts'
import { TestRecord } from '../light/record.ts'

const HEIGHTS = 6

describe('mesh: epochs that others decided', () => {
  const record = new TestRecord()
  const states: MeshState[] = [record.state]
  while (record.state.height < HEIGHTS) {
    record.advance()
    states.push(record.state)
  }
  const epochOf = (height: number, isPlain: boolean): SyncEpoch => {
    const { bytes, certificate } = record.finals[height - 1]!
    const given = isPlain ? plain(certificate) : certificate
    return { height, block: bytes, certificate: certificateCodec.encode(given) }
  }
  let height: number
  let now: number
  let committed: { height: number; isExtended: boolean }[]
  const intakeOf = (builds: boolean): EpochIntake =>
    new EpochIntake({
      state: () => states[height]!,
      verify: verifyAside,
      builds,
      now: () => now,
      async commit(_block, certificate) {
        height += 1
        const isExtended = certificate.signatures.every(({ extension }) => extension !== undefined)
        committed.push({ height, isExtended })
      },
    })
  const give = async (intake: EpochIntake, epoch: SyncEpoch): Promise<number> => {
    expect(await intake.verify(epoch)).to.equal(undefined)
    const taken = await intake.take(epoch)
    await intake.settled()
    return taken
  }

  beforeEach(() => {
    ;[height, now, committed] = [0, 0, []]
  })

  it('are final here one after the other, where nobody builds on them as they come', async () => {
    const intake = intakeOf(false)
    for (let at = 1; at <= HEIGHTS; at++) expect(await give(intake, epochOf(at, true))).to.equal(1)
    expect([height, intake.height]).to.deep.equal([HEIGHTS, HEIGHTS])
  })

  it('without what their signers saw wait for the next where this node may build on them', async () => {
    const intake = intakeOf(true)
    expect(await give(intake, epochOf(1, true))).to.equal(0)
    expect([height, intake.height]).to.deep.equal([0, 1])
    expect(await give(intake, epochOf(2, true))).to.equal(1)
    expect([height, intake.height]).to.deep.equal([1, 2])
    expect(await give(intake, epochOf(3, false))).to.equal(2)
    expect([height, intake.height]).to.deep.equal([3, 3])
    expect(committed.at(-1)).to.deep.equal({ height: 3, isExtended: true })
  })

  it('are asked for again when the next does not come: a liar may have taken away what the signers saw', async () => {
    const intake = intakeOf(true)
    await give(intake, epochOf(1, true))
    now = 60_000
    expect(intake.height).to.equal(0)
    expect(await give(intake, epochOf(1, false))).to.equal(1)
    expect(committed).to.deep.equal([{ height: 1, isExtended: true }])
  })

  it('are let go of when they are decided here meanwhile', async () => {
    const intake = intakeOf(true)
    await give(intake, epochOf(1, true))
    height = 1
    expect(intake.height).to.equal(1)
    expect(await give(intake, epochOf(2, false))).to.equal(1)
    expect(committed).to.deep.equal([{ height: 2, isExtended: true }])
    expect(await intake.take(epochOf(1, false))).to.equal(0)
  })

  it('are checked while the one before is written, and a failed write is thrown to who gives the next', async () => {
    const disk = Promise.withResolvers<void>()
    const intake = new EpochIntake({
      state: () => states[height]!,
      verify: verifyAside,
      builds: false,
      now: () => now,
      commit: () => disk.promise,
    })
    expect(await intake.verify(epochOf(1, true))).to.equal(undefined)
    expect(await intake.take(epochOf(1, true))).to.equal(1)
    expect([height, intake.height]).to.deep.equal([0, 1])
    expect(await intake.verify(epochOf(2, true))).to.equal(undefined)
    disk.reject(new Error('no space'))
    const thrown = await intake.take(epochOf(2, true)).catch((error: Error) => error.message)
    expect(thrown).to.equal('no space')
  })

  it('are refused when one signature of a vote, or of what its signer saw, is not valid', async () => {
    const { certificate } = record.finals[0]!
    const forged = (change: (signature: (typeof certificate.signatures)[number]) => object): SyncEpoch => {
      const signatures = certificate.signatures.map((one, at) => (at === 1 ? { ...one, ...change(one) } : one))
      return { ...epochOf(1, false), certificate: certificateCodec.encode({ ...certificate, signatures }) }
    }
    const other = certificate.signatures[0]!
    const intake = intakeOf(true)
    const vote = forged(() => ({ signature: other.signature }))
    expect(await intake.verify(vote)).to.equal('E_CERTIFICATE_SIGNATURE')
    const seen = forged(({ extension }) => ({
      extension: { ...extension!, signature: other.extension!.signature },
    }))
    expect(await intake.verify(seen)).to.equal('E_EPOCH_EXTENSION')
    expect(await intake.take(vote)).to.equal(0)
    expect([height, intake.height]).to.deep.equal([0, 0])
  })

  it('must each follow on the one before, held or final', async () => {
    const intake = intakeOf(true)
    expect(await intake.verify(epochOf(2, true))).to.be.a('string')
    await give(intake, epochOf(1, true))
    expect(await intake.verify(epochOf(1, true))).to.be.a('string')
    expect(await intake.verify(epochOf(3, true))).to.be.a('string')
    expect(await intake.verify(epochOf(2, true))).to.equal(undefined)
  })
})
