import { expect } from 'chai'
import { challenge } from '../../protocols/audit/index.ts'
import { proofOf, ProofHash } from '../../protocols/audit/proof-hash.ts'
import type { AuditAnswer, Challenge } from '../../protocols/audit/codec.ts'
import { PRECOMPUTED } from '../../node/pins/audit/constants.ts'
import { AuditCell, guess, hashed, lie, pinned, type AuditNode } from '../helpers/audit-cell.ts'
import { until } from '../helpers/libp2p-pair.ts'
import { nameOf, NEVER, type Block } from '../helpers/pin-fixtures.ts'

const PERIOD_MS = 1_500

describe('audit of a cell', function () {
  this.timeout(60_000)
  let cell: AuditCell
  let one: AuditNode
  let two: AuditNode
  let liar: AuditNode
  /** Holds nothing: as a leader that is to repair. */
  let other: AuditNode
  let blocks: Block[]
  let cid: string
  const start = async () => {
    for (const { audit } of cell.nodes) await audit.start()
  }
  const badAt = (node: AuditNode) => [...node.audit.badCopies(cid)]
  const isProven = (by: AuditNode, copy: AuditNode) => by.audit.provenAt(cid, copy.peerId) !== undefined

  beforeEach(async () => {
    cell = new AuditCell()
    one = await cell.add({ periodMs: PERIOD_MS })
    two = await cell.add({ periodMs: PERIOD_MS })
    liar = await cell.add({ periodMs: PERIOD_MS })
    other = await cell.add({ periodMs: PERIOD_MS })
    blocks = await pinned('content', [one, two, liar])
    cid = blocks[0]!.cid.toString()
    cell.agree(blocks[0]!.cid, [one, two, liar])
  })
  afterEach(() => cell.stop())

  /** All that a proof needs: as one with the bytes has it. */
  const honest = async ({ salt, blocks: asked }: Challenge, prover: string): Promise<AuditAnswer> => {
    const hash = new ProofHash(salt)
    for (const multihash of asked) {
      const name = Buffer.from(multihash).toString('hex')
      hash.add(blocks.find((each) => nameOf(each.cid) === name)!.bytes)
    }
    return { type: 'proof', digest: proofOf(hash.digest(), prover) }
  }

  it('proves each copy, at every member; nobody is blamed', async () => {
    await start()
    for (const by of cell.nodes) for (const copy of [one, two, liar]) await until(() => isProven(by, copy))
    for (const by of cell.nodes) expect(badAt(by)).to.deep.equal([])
    expect(isProven(one, other)).to.equal(false)
    expect(cell.nodes.flatMap(({ results }) => results)).to.not.include('failed')
  })

  const liars: [string, () => (asked: Challenge) => Promise<AuditAnswer | undefined>][] = [
    ['guesses', () => guess],
    ['kept the hashes alone', () => hashed],
    ['says that a block is missing', () => async (asked) => ({ type: 'missing', block: asked.blocks.at(-1)! })],
    [
      'answers as it did before',
      () => {
        let before: AuditAnswer | undefined
        return async (asked) => (before ??= await honest(asked, liar.peerId))
      },
    ],
    [
      'has another holder answer its challenges',
      () => (asked) => challenge(liar.libp2p, two.libp2p.peerId, asked, { signal: NEVER, deadlineMs: 5_000 }),
    ],
    [
      'fetches what it is asked for, too late',
      () => async (asked) => {
        await until(() => badAt(one).includes(liar.peerId))
        return honest(asked, liar.peerId)
      },
    ],
    ['claims nothing but does not answer', () => async () => undefined],
  ]
  for (const [how, make] of liars) {
    it(`finds one who ${how}; every member knows, and the honest are not blamed`, async () => {
      await start()
      await lie(liar, make())
      await until(() => cell.nodes.filter((node) => node !== liar).every((node) => badAt(node).includes(liar.peerId)))
      expect([badAt(one), badAt(two), badAt(other)]).to.deep.equal(Array.from({ length: 3 }, () => [liar.peerId]))
    })
  }

  it('takes it back when the same blocks are proven, and tells all', async () => {
    const lost = blocks[5]!
    liar.index.store.blocks.delete(nameOf(lost.cid))
    await start()
    await until(() => badAt(other).length > 0)
    await liar.index.store.put(lost.cid, lost.bytes)
    await until(() => cell.nodes.every((node) => badAt(node).length === 0))
    expect(isProven(other, liar)).to.equal(true)
  })

  it('forgets a pin that is gone, told by its key or with a whole state', async () => {
    await start()
    const isKnown = (by: AuditNode) => [one, two, liar].some((copy) => isProven(by, copy))
    for (const end of ['run', 'replace'] as const) {
      for (const by of cell.nodes) await until(() => isKnown(by))
      cell[end]({ type: 'pin-unset', cid })
      expect(cell.nodes.filter(isKnown)).to.deep.equal([])
      cell.agree(blocks[0]!.cid, [one, two, liar])
    }
  })

  it('does not blame an honest node whose disk is slow, within the deadline', async () => {
    two.readMs = 12
    await start()
    for (let round = 0; round < 3; round++) {
      const proofs = two.reads.length
      await until(() => two.reads.length >= proofs + 2 * blocks.length)
    }
    expect(isProven(one, two)).to.equal(true)
    expect(badAt(one)).to.deep.equal([])
  })

  it('does not blame who is still fetching, nor who is away', async () => {
    await two.index.pins.unpin(blocks[0]!.cid)
    await liar.audit.stop()
    await liar.libp2p.stop()
    await one.audit.start()
    await two.audit.start()
    await until(() => one.results.filter((result) => result === 'unreachable').length > 4)
    expect([badAt(one), isProven(one, two)]).to.deep.equal([[], false])
  })

  it('blames one that tells others that it has pinned, and claims nothing when it is challenged', async () => {
    await two.index.pins.unpin(blocks[0]!.cid)
    await one.audit.stop()
    one.audit = cell.again(one, { periodMs: PERIOD_MS, claims: async () => true })
    await one.audit.start()
    await two.audit.start()
    await until(() => badAt(one).includes(two.peerId))
  })

  it('drops what was found out when a copy is moved or unpinned, and finds it again on disk after a start', async () => {
    await lie(liar, guess)
    await one.audit.start()
    await until(() => badAt(one).length > 0)
    await one.audit.stop()
    one.audit = cell.again(one, { periodMs: 3_600_000 })
    await one.audit.start()
    expect(badAt(one)).to.deep.equal([liar.peerId])
    cell.agree(blocks[0]!.cid, [one, two])
    expect(badAt(one)).to.deep.equal([])
    cell.run({ type: 'pin-unset', cid })
    await one.audit.stop()
    expect(one.rows.size).to.equal(0)
  })

  describe('of a single copy', () => {
    const single = async () => {
      await one.audit.precompute(cid, NEVER)
      await one.index.pins.unpin(blocks[0]!.cid)
      one.index.store.blocks.clear()
      cell.agree(blocks[0]!.cid, [two])
    }

    it(`uses the challenges that the adder computed, ${PRECOMPUTED} times, and says when there are no more`, async () => {
      await single()
      const reads = one.reads.length
      await one.audit.stop()
      one.audit = cell.again(one, { periodMs: 60 })
      await one.audit.start()
      await two.audit.start()
      await until(() => one.log.some((line) => line.includes('used up')))
      await until(() => one.results.length === PRECOMPUTED)
      expect(new Set(one.results)).to.deep.equal(new Set(['proven']))
      expect(one.log).to.have.length(1)
      expect(one.reads.length, 'nothing was read after').to.equal(reads)
    })

    it('finds its only holder out', async () => {
      await single()
      await start()
      await lie(two, hashed)
      await until(() => badAt(other).length > 0)
      expect(badAt(other)).to.deep.equal([two.peerId])
    })
  })

  it('answers members of the cell alone', async () => {
    await start()
    const stranger = await cell.add()
    cell.nodes.pop()
    try {
      const salt = new Uint8Array(32)
      const asked = { pin: cid, salt, blocks: [blocks[0]!.cid.multihash.bytes] }
      const refusal = challenge(stranger.libp2p, one.libp2p.peerId, asked, { signal: NEVER, deadlineMs: 5_000 })
      expect(await refusal.catch((error: { code: string }) => error.code)).to.equal('E_AUDIT_STRANGER')
      expect(one.refused).to.deep.equal(['E_AUDIT_STRANGER'])
    } finally {
      await stranger.libp2p.stop()
    }
  })
})
