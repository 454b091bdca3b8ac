import { expect } from 'chai'
import { Findings } from '../../../node/pins/audit/findings.ts'
import { MISSES } from '../../../node/pins/audit/constants.ts'
import { OwnVerdicts } from '../../../node/pins/audit/own-verdicts.ts'
import { fastestMs, intervalMs } from '../../../node/pins/audit/pace.ts'
import { challengedBy } from '../../../node/pins/audit/ring.ts'
import { Retries } from '../../../node/pins/audit/retries.ts'
import { pinOf } from '../../../consensus/state/index.ts'
import { MAX_ROWS } from '../../../protocols/audit/index.ts'
import { MemorySublevel, type Rows } from '../../helpers/memory-sublevel.ts'
import { peer } from '../state/cell.ts'
import { cellOf, cidOf, pin } from '../state/pins.ts'

const PERIOD_MS = 1_000_000
const [A, B, C, D] = ['A', 'B', 'C', 'D'].map(peer) as [string, string, string, string]

describe('audit: what is found out', () => {
  let now: number
  beforeEach(() => {
    now = 5_000_000
  })

  describe('by all', () => {
    let asked: Set<string>
    let cell: ReturnType<typeof cellOf>
    let findings: Findings
    const cid = cidOf(1)
    const verdict = (isProven: boolean, peerId = B) => ({ cid, peerId, isProven, at: now })

    beforeEach(() => {
      asked = new Set([A, C])
      cell = cellOf('ABC')
      pin(cell, 1, { min: 3, max: 3 })
      findings = new Findings({
        cell,
        periodMs: PERIOD_MS,
        now: () => now,
        canBeAsked: (id) => asked.has(id),
        limit: 10,
      })
    })

    it('counts a copy as bad by the word of one, until the same one takes it back', () => {
      findings.report(A, verdict(false))
      expect(findings.badCopies(cid)).to.deep.equal([B])
      findings.report(C, verdict(true))
      expect(findings.badCopies(cid)).to.deep.equal([B])
      findings.report(A, verdict(true))
      expect(findings.badCopies(cid)).to.deep.equal([])
      expect(findings.provenAt(cid, B)).to.equal(now)
    })

    it('keeps the latest proof, whoever tells it when', () => {
      findings.report(A, verdict(true))
      now -= 500
      findings.report(C, verdict(true))
      expect(findings.provenAt(cid, B)).to.equal(now + 500)
    })

    it('counts no word of who cannot be asked, nor one that is older than a period', () => {
      findings.report(A, verdict(false))
      asked.delete(A)
      expect(findings.badCopies(cid)).to.deep.equal([])
      asked.add(A)
      now += PERIOD_MS
      expect(findings.badCopies(cid)).to.deep.equal([B])
      now += 1
      expect(findings.badCopies(cid)).to.deep.equal([])
    })

    it('lets nobody vouch for itself', () => {
      findings.report(B, verdict(true))
      expect(findings.provenAt(cid, B)).to.equal(undefined)
    })

    it('knows nothing of who is to have no copy, and forgets who is to have none any more', () => {
      findings.report(A, verdict(false, D))
      expect(findings.size).to.equal(0)
      findings.report(A, verdict(false))
      findings.report(A, verdict(true, C))
      findings.keep(cid, [A, C])
      expect(findings.badCopies(cid)).to.deep.equal([])
      expect(findings.provenAt(cid, C)).to.equal(now)
      findings.keep(cid, pinOf(cell.tree, cidOf(2))?.allocations ?? [])
      expect(findings.size).to.equal(0)
    })

    it('is bounded: the pin that was heard of longest ago goes', () => {
      for (let number = 10; number < 30; number++) findings.report(A, { ...verdict(true), cid: cidOf(number) })
      expect(findings.size).to.equal(10)
      expect(findings.provenAt(cidOf(19), B)).to.equal(undefined)
      expect(findings.provenAt(cidOf(20), B)).to.equal(now)
    })
  })

  describe('by one', () => {
    let rows: Rows
    let own: OwnVerdicts
    const open = async (isKept = (_cid: string, _peerId: string): boolean => true) => {
      own = new OwnVerdicts({ store: new MemorySublevel(rows), periodMs: PERIOD_MS, now: () => now, limit: 600 })
      await own.open(isKept)
    }
    beforeEach(async () => {
      rows = new Map()
      await open()
    })

    it(`blames nobody before ${MISSES} misses in a row, each within a period of the one before`, async () => {
      const miss = async (afterMs: number) => {
        now += afterMs
        return (await own.miss('x', B))?.isProven
      }
      for (let misses = 1; misses < MISSES; misses++) expect(await miss(10)).to.equal(undefined)
      expect(await miss(PERIOD_MS + 1), 'the one before was long ago').to.equal(undefined)
      for (let misses = 2; misses < MISSES; misses++) expect(await miss(PERIOD_MS)).to.equal(undefined)
      expect(await miss(PERIOD_MS)).to.equal(false)
      expect(await miss(10), 'and it stays so').to.equal(false)
    })

    it('forgets misses once there is a proof: who flaps is not blamed', async () => {
      for (let round = 0; round < 10; round++) {
        for (let misses = 1; misses < MISSES; misses++) expect(await own.miss('x', B)).to.equal(undefined)
        expect(await own.record('x', B, true)).to.include({ isProven: true })
      }
      expect([...own.all()].map(({ isProven }) => isProven)).to.deep.equal([true])
    })

    it('tells others page after page, each verdict as it stands, by its age', async () => {
      for (let number = 0; number < MAX_ROWS + 10; number++) await own.record(`${number}`, B, true)
      const first = own.page(0)
      const second = own.page(first.next)
      expect([first.rows.length, second.rows.length]).to.deep.equal([MAX_ROWS, 10])
      expect(own.page(second.next)).to.deep.equal({ rows: [], next: second.next })
      now += 77
      await own.record('3', B, false)
      expect(own.page(second.next).rows).to.deep.equal([['3', B, false, 0]])
      expect(own.page(0).rows[0]).to.deep.equal(['0', B, true, 77])
    })

    it('is read from the beginning by who has read further than there is', async () => {
      await own.record('x', B, true)
      expect(own.page(2 ** 50).rows).to.have.length(1)
    })

    it('tells no misses, and passes over them', async () => {
      await own.miss('x', B)
      const page = own.page(0)
      expect(page.rows).to.deep.equal([])
      expect(own.page(page.next)).to.deep.equal(page)
    })

    it('is there after a start, in order and with its misses, but for copies that are no more', async () => {
      await own.record('x', B, true)
      await own.record('y', B, true)
      await own.record('x', C, false)
      for (let misses = 1; misses < MISSES; misses++) await own.miss('y', B)
      const { next } = own.page(0)
      await open((_cid, peerId) => peerId !== C)
      expect([...own.all()].map(({ cid, peerId }) => [cid, peerId])).to.deep.equal([
        ['x', B],
        ['y', B],
      ])
      expect(rows.size).to.equal(2)
      expect(await own.miss('y', B)).to.include({ isProven: false })
      expect(own.page(next).rows).to.deep.equal([['y', B, false, 0]])
    })

    it('goes with the copy, from the disk, too', async () => {
      for (const peerId of [A, B, C]) await own.record('x', peerId, true)
      await own.keep('x', [B])
      expect([...own.all()].map(({ peerId }) => peerId)).to.deep.equal([B])
      await own.keep('x', [])
      expect([own.has('x'), rows.size]).to.deep.equal([false, 0])
    })

    it('is bounded, in memory and on disk', async () => {
      for (let number = 0; number < 700; number++) await own.record(`${number}`, B, true)
      expect([[...own.all()].length, rows.size]).to.deep.equal([600, 600])
      expect([own.has('99'), own.has('100')]).to.deep.equal([false, true])
    })
  })
})

describe('audit: when', () => {
  const hours = 12 * 3_600_000

  it('all pins are visited within a period', () => {
    for (const pins of [1, 7, 10_000])
      expect(pins * intervalMs({ periodMs: hours, pins, chance: 1 })).to.be.at.most(hours)
  })

  it('nobody foresees a visit', () => {
    const of = (chance: number) => intervalMs({ periodMs: hours, pins: 10, chance })
    expect([of(0), of(0.5), of(1)]).to.deep.equal([0.05 * hours, 0.075 * hours, 0.1 * hours])
  })

  it('many pins and large blocks cost no more than a minute may', () => {
    expect(fastestMs({ periodMs: hours, bytes: 0 })).to.equal(1_000)
    expect(fastestMs({ periodMs: hours, bytes: 2 ** 25 })).to.equal(15_000)
  })

  it('of many copies each is challenged by two others in every round, and by all in some', () => {
    for (let size = 3; size < 9; size++) {
      const holders = Array.from({ length: size }, (_, at) => peer('ABCDEFGHJK'[at]!)).toReversed()
      const pairs = new Set<string>()
      for (let round = 1_000; round < 1_000 + 2 * size; round++) {
        const challenged = holders.flatMap((self) => challengedBy(self, holders, round).map((copy) => [self, copy]))
        for (const [self, copy] of challenged) pairs.add(`${self} ${copy}`)
        expect(challenged.every(([self, copy]) => self !== copy)).to.equal(true)
        for (const holder of holders) expect(challenged.filter(([, copy]) => copy === holder)).to.have.length(2)
      }
      expect(pairs.size).to.equal(size * (size - 1))
    }
    expect([challengedBy(A, [A], 7), challengedBy(A, [B], 7), challengedBy(B, [A, B], 7)]).to.deep.equal([[], [B], [A]])
  })

  it('a copy that was not proven waits for its time, in order, once', () => {
    const retries = new Retries()
    const retry = (cid: string) => ({ cid, peerId: B, blocks: undefined })
    retries.add(retry('x'), 10)
    retries.add(retry('y'), 20)
    retries.add(retry('x'), 30)
    expect(retries.dueAt).to.equal(20)
    expect(retries.take(19)).to.equal(undefined)
    expect(retries.take(30)).to.include({ cid: 'y' })
    expect(retries.take(30)).to.include({ cid: 'x' })
    expect(retries.dueAt).to.equal(undefined)
  })
})
