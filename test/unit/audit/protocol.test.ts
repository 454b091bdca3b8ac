import { expect } from 'chai'
import { answerCodec, requestCodec } from '../../../protocols/audit/codec.ts'
import * as limits from '../../../protocols/audit/constants.ts'
import { deadlineMs, proofOf, ProofHash } from '../../../protocols/audit/index.ts'
import { prove, type AuditSource } from '../../../protocols/audit/prove.ts'
import { ReadBudget } from '../../../protocols/audit/read-budget.ts'
import { codeThrown } from '../../helpers/content-node.ts'

const bytes = (value: number, length = 32) => new Uint8Array(length).fill(value)
const challenge = { type: 'challenge' as const, pin: 'bafy', salt: bytes(1), blocks: [bytes(2, 34), bytes(3, 34)] }

function digestOf(salt: Uint8Array, ...blocks: Uint8Array[]): string {
  const hash = new ProofHash(salt)
  for (const each of blocks) hash.add(each)
  return Buffer.from(hash.digest()).toString('hex')
}

describe('/kairos/audit/1.0.0', () => {
  describe('frames', () => {
    const refusal = (change: object) =>
      codeThrown(async () => requestCodec.decode(requestCodec.encode({ ...challenge, ...change })))

    it('hold 64 of the longest multihashes, and no more', async () => {
      const blocks = Array.from({ length: limits.MAX_BLOCKS }, (_, at) => bytes(at, limits.MAX_MULTIHASH_BYTES))
      const whole = { ...challenge, pin: 'b'.repeat(128), blocks }
      expect(requestCodec.decode(requestCodec.encode(whole))).to.deep.equal(whole)
      expect(await refusal({ blocks: [...blocks, bytes(9, 34)] })).to.equal('E_FRAME_SCHEMA')
      expect(await refusal({ blocks: [] })).to.equal('E_FRAME_SCHEMA')
      expect(await refusal({ blocks: [bytes(1, limits.MAX_MULTIHASH_BYTES + 1)] })).to.equal('E_FRAME_SCHEMA')
      expect(await refusal({ blocks: Array.from({ length: 300 }, () => bytes(1, 34)) })).to.equal('E_FRAME_TOO_LARGE')
    })

    it('have a salt of 32 bytes', async () => {
      for (const length of [0, 31, 33]) expect(await refusal({ salt: bytes(1, length) })).to.equal('E_FRAME_SCHEMA')
      expect(await refusal({ salt: 'x'.repeat(32) })).to.equal('E_FRAME_SCHEMA')
    })

    it('hold a whole page of verdicts', () => {
      const row = ['b'.repeat(128), 'p'.repeat(64), true, 2 ** 50] as [string, string, boolean, number]
      const page = { type: 'results' as const, rows: Array.from({ length: limits.MAX_ROWS }, () => row), next: 2 ** 50 }
      expect(answerCodec.decode(answerCodec.encode(page))).to.deep.equal(page)
    })
  })

  describe('a proof', () => {
    it('is SHA-256 over SHA-256(salt ‖ bytes) of each block', () => {
      // By Python's hashlib: sha256(sha256(00×32 ‖ 'a') ‖ sha256(00×32 ‖ 'b')).
      expect(digestOf(bytes(0), Buffer.from('a'), Buffer.from('b'))).to.equal(
        '53b4df0e71cf55f39b89b16ceda0bae4af474da32242df5f2735f496a7636a3a',
      )
    })

    it('differs by salt, order, and any byte', () => {
      const [a, b] = [Buffer.from('a'), Buffer.from('b')]
      const all = [
        digestOf(bytes(0), a, b),
        digestOf(bytes(1), a, b),
        digestOf(bytes(0), b, a),
        digestOf(bytes(0), a),
        digestOf(bytes(0), Buffer.from('ab')),
      ]
      expect(new Set(all)).to.have.property('size', all.length)
    })

    it('is of its prover alone', () => {
      expect(proofOf(bytes(5), 'one')).to.not.deep.equal(proofOf(bytes(5), 'two'))
      expect(proofOf(bytes(5), 'one')).to.deep.equal(proofOf(bytes(5), 'one'))
    })
  })

  describe('the deadline', () => {
    it('grows with what is read, and is at most 2.4 s', () => {
      const most = deadlineMs({ blocks: limits.MAX_BLOCKS, bytes: limits.MAX_CHALLENGE_BYTES })
      expect(most).to.be.within(deadlineMs({ blocks: 1, bytes: 1 }) + 1, 2_400)
    })

    it('leaves a slow disk its seeks: 64 of them at 12 ms, and 20 MiB/s', () => {
      const readMs = 64 * 12 + (limits.MAX_CHALLENGE_BYTES / (20 * 2 ** 20)) * 1000
      expect(deadlineMs({ blocks: 64, bytes: limits.MAX_CHALLENGE_BYTES })).to.be.at.least(readMs)
    })

    it('leaves no time to fetch 16 MiB over 50 Mbit/s', () => {
      const fetchMs = ((limits.MAX_CHALLENGE_BYTES * 8) / 50e6) * 1000
      expect(deadlineMs({ blocks: 64, bytes: limits.MAX_CHALLENGE_BYTES })).to.be.below(fetchMs)
    })
  })

  describe('the read budget', () => {
    it('gives a member so much a minute, others besides, and all together no more than their own', () => {
      let now = 0
      const budget = new ReadBudget(() => now)
      budget.spend('a', limits.READ_BYTES_PER_MINUTE_PER_PEER)
      expect([budget.has('a'), budget.has('b')]).to.deep.equal([false, true])
      now += 1_000
      expect(budget.has('a')).to.equal(true)
      for (const peer of ['b', 'c', 'd', 'e']) budget.spend(peer, limits.READ_BYTES_PER_MINUTE_PER_PEER)
      expect(budget.has('f')).to.equal(false)
      now += 60_000
      expect(['a', 'b', 'f'].every((peer) => budget.has(peer))).to.equal(true)
    })

    it('has a price for small blocks, too', () => {
      const budget = new ReadBudget(() => 0)
      let blocks = 0
      for (; budget.has('a'); blocks++) budget.spend('a', 1)
      expect(blocks).to.equal(limits.READ_BYTES_PER_MINUTE_PER_PEER / limits.MIN_COST_BYTES)
    })
  })

  describe('a prover', () => {
    const { signal } = new AbortController()
    const sized = (bytes: number | undefined) => {
      let reads = 0
      const source: AuditSource = {
        claims: async () => true,
        read: async () => (++reads > 1 ? (bytes === undefined ? undefined : new Uint8Array(bytes)) : new Uint8Array(1)),
      }
      return { source, reads: () => reads }
    }
    const many = { ...challenge, blocks: Array.from({ length: 64 }, (_, at) => bytes(at, 34)) }

    it('says at the first block that it has not that it is missing, and reads no more', async () => {
      const { source, reads } = sized(undefined)
      const answer = await prove(many, { source, budget: new ReadBudget(() => 0), self: 'me' }, { peer: 'a', signal })
      expect(answer).to.deep.equal({ type: 'missing', block: many.blocks[1] })
      expect(reads()).to.equal(2)
    })

    it('reads nothing of what it does not claim to hold', async () => {
      const { source, reads } = sized(1)
      const prover = { source: { ...source, claims: async () => false }, budget: new ReadBudget(() => 0), self: 'me' }
      expect(await prove(many, prover, { peer: 'a', signal })).to.deep.equal({ type: 'unclaimed' })
      expect(reads()).to.equal(0)
    })

    it('stops in the middle when the budget is used up, after gigabytes at most', async () => {
      const { source, reads } = sized(2 ** 21)
      const prover = { source, budget: new ReadBudget(() => 0), self: 'me' }
      let challenges = 0
      const flood = async () => {
        for (; ; challenges++) await prove(many, prover, { peer: 'a', signal })
      }
      expect(await codeThrown(flood)).to.equal('E_AUDIT_BUDGET')
      expect(challenges).to.be.at.least(1)
      expect(reads() * 2 ** 21).to.be.at.most(limits.READ_BYTES_PER_MINUTE_PER_PEER + 2 ** 22)
    })

    it('leaves when nobody waits any more', async () => {
      const { source, reads } = sized(1)
      const prover = { source, budget: new ReadBudget(() => 0), self: 'me' }
      const gone = AbortSignal.abort(new Error('gone'))
      expect(await codeThrown(() => prove(many, prover, { peer: 'a', signal: gone }))).to.equal('Error: gone')
      expect(reads()).to.equal(0)
    })
  })
})
