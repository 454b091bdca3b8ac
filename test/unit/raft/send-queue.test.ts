import { expect } from 'chai'
import * as fc from 'fast-check'
import { SendQueue } from '../../../protocols/raft/send-queue.ts'

const item = (mark: number, size = 1): Uint8Array => new Uint8Array(size).fill(mark)
const marks = (items: Uint8Array[]): (number | undefined)[] => items.map(([mark]) => mark)

describe('the send queue of a lane', () => {
  it('keeps the beginning of the appends when one does not fit', () => {
    const queue = new SendQueue({ bytes: 3, count: 10, drop: 'newest' })
    expect([1, 2, 3, 4].map((mark) => queue.push(item(mark)))).to.deep.equal([0, 0, 0, 1])
    expect(marks(queue.take(100))).to.deep.equal([1, 2, 3])
  })

  it('keeps the latest of the urgent messages when one does not fit', () => {
    const queue = new SendQueue({ bytes: 100, count: 2, drop: 'oldest' })
    expect([1, 2, 3].map((mark) => queue.push(item(mark)))).to.deep.equal([0, 0, 1])
    expect(marks(queue.take(100))).to.deep.equal([2, 3])
  })

  it('drops one that would never fit, and nothing else for it', () => {
    for (const drop of ['oldest', 'newest'] as const) {
      const queue = new SendQueue({ bytes: 3, count: 2, drop })
      queue.push(item(1))
      expect(queue.push(item(2, 4))).to.equal(1)
      expect(marks(queue.take(100))).to.deep.equal([1])
    }
  })

  it('is never over its limits, counts what it drops, and keeps order', () => {
    const push = fc.record({ size: fc.nat(6), take: fc.option(fc.integer({ min: 0, max: 9 })) })
    fc.assert(
      fc.property(fc.constantFrom('newest' as const, 'oldest' as const), fc.array(push), (drop, steps) => {
        const queue = new SendQueue({ bytes: 10, count: 4, drop })
        const taken: number[] = []
        let dropped = 0
        steps.forEach(({ size, take }, i) => {
          dropped += queue.push(item(i, size + 1))
          expect(queue.byteLength).to.be.at.most(10)
          expect(queue.length).to.be.at.most(4)
          if (take !== null) for (const [mark] of queue.take(take)) taken.push(mark ?? -1)
        })
        for (const [mark] of queue.take(1000)) taken.push(mark ?? -1)
        expect(taken.length + dropped).to.equal(steps.length)
        expect(taken).to.deep.equal([...taken].sort((a, b) => a - b))
        expect(queue.byteLength).to.equal(0)
      }),
    )
  })
})
