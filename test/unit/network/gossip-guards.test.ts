import { expect } from 'chai'
import * as fc from 'fast-check'
import { AuthorBudget } from '../../../node/network/author-budget.ts'
import { ReplayWindow } from '../../../node/network/replay-window.ts'

describe('author budget', () => {
  const budgetOf = () => new AuthorBudget({ ratePerSecond: 1, burst: 4 })

  it('lets an author within its budget speak for ever', () => {
    const budget = budgetOf()
    for (let second = 0; second < 1000; second++) {
      expect(budget.spend('author', 'carrier', second * 1000)).to.deep.equal({ kind: 'accept' })
    }
  })

  it('ignores what is over, and rejects ten times as much from the author itself', () => {
    const budget = budgetOf()
    const verdicts = Array.from({ length: 60 }, () => budget.spend('author', 'author', 0).kind)
    expect(verdicts.filter((kind) => kind === 'accept')).to.have.length(4)
    expect(verdicts.filter((kind) => kind === 'ignore')).to.have.length(36)
    expect(verdicts.slice(40).every((kind) => kind === 'reject')).to.equal(true)
  })

  it('never rejects an honest carrier: what many of them accepted adds up', () => {
    const budget = budgetOf()
    const verdicts = Array.from({ length: 500 }, (_, i) => budget.spend('author', `carrier${i % 50}`, 0))
    expect(verdicts.some(({ kind }) => kind === 'reject')).to.equal(false)
    expect(budget.spend('other', 'carrier1', 0)).to.deep.equal({ kind: 'accept' })
  })
})

describe('replay window (F17)', () => {
  it('takes every number once, as a set would, within 64 of the highest', () => {
    fc.assert(
      fc.property(fc.array(fc.bigInt({ min: 0n, max: 200n }), { maxLength: 300 }), (numbers) => {
        const window = new ReplayWindow()
        const seen = new Set<bigint>()
        let max = -1n
        for (const number of numbers) {
          const expected = !seen.has(number) && number > max - 64n
          expect(window.accept('a', number)).to.equal(expected)
          seen.add(number)
          if (number > max) max = number
        }
      }),
    )
  })

  it('refuses 10,000 old messages, also after a restart', () => {
    const window = new ReplayWindow()
    const start = 1_700_000_000_000_000_000n
    for (let i = 0n; i < 10_000n; i++) expect(window.accept('a', start + i)).to.equal(true)
    const restarted = new ReplayWindow()
    restarted.restore(window.save())
    for (const guard of [window, restarted]) {
      let accepted = 0
      for (let i = 0n; i < 10_000n; i++) if (guard.accept('a', start + i)) accepted += 1
      expect(accepted).to.equal(0)
      expect(guard.accept('a', start + 10_000n)).to.equal(true)
    }
  })

  it('keeps authors apart, and at most 10,000 of them', () => {
    const window = new ReplayWindow()
    for (let i = 0; i < 10_001; i++) expect(window.accept(`author${i}`, 7n)).to.equal(true)
    expect(window.accept('author10000', 7n)).to.equal(false)
    expect(window.accept('author0', 7n)).to.equal(true)
    expect(window.save().byteLength).to.be.below(2_097_152)
  })

  it('refuses bytes that it did not write', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
        const window = new ReplayWindow()
        try {
          window.restore(bytes)
        } catch (error) {
          expect(error)
            .to.have.property('code')
            .that.matches(/^E_FRAME/)
        }
      }),
    )
  })
})
