import { expect } from 'chai'
import * as fc from 'fast-check'
import { MESSAGE_QUEUE, OTHER_QUEUE, PART_QUEUE } from '../../../protocols/bft/constants.ts'
import { PeerQueue, type Priority } from '../../../protocols/bft/queue.ts'

const item = (mark: number, size = 1): Uint8Array => new Uint8Array(size).fill(mark)
const marks = (items: Uint8Array[]): (number | undefined)[] => items.map(([mark]) => mark)
const LIMITS = { message: MESSAGE_QUEUE, other: OTHER_QUEUE, part: PART_QUEUE }

describe('what waits for one peer', () => {
  it('goes messages first, then wants and answers, then parts, each in order', () => {
    const queue = new PeerQueue()
    for (const [priority, mark] of [
      ['part', 1],
      ['other', 2],
      ['message', 3],
      ['part', 4],
      ['message', 5],
    ] as const)
      queue.push(priority, 7, item(mark))
    expect(marks(queue.take(1000))).to.deep.equal([3, 5, 2, 1, 4])
    expect([queue.length, queue.byteLength]).to.deep.equal([0, 0])
  })

  it('is taken up to a size, but at least one: a vote overtakes parts that wait', () => {
    const queue = new PeerQueue()
    for (const mark of [1, 2]) queue.push('part', 7, item(mark, 100))
    expect(marks(queue.take(10))).to.deep.equal([1])
    queue.push('message', 7, item(3, 100))
    expect(marks(queue.take(150))).to.deep.equal([3])
    expect(marks(queue.take(150))).to.deep.equal([2])
  })

  it('drops the oldest of the lowest height where not all fits', () => {
    const queue = new PeerQueue()
    const size = MESSAGE_QUEUE.bytes / 4
    for (const [height, mark] of [
      [8, 1],
      [7, 2],
      [7, 3],
      [8, 4],
    ] as const)
      expect(queue.push('message', height, item(mark, size))).to.equal(0)
    expect(queue.push('message', 8, item(5, size))).to.equal(1)
    expect(queue.push('message', 7, item(6, size)), 'the newcomer is of the lowest, but not the oldest').to.equal(1)
    expect(queue.push('message', 6, item(7, size)), 'the newcomer is the lowest').to.equal(1)
    expect(marks(queue.take(2 * MESSAGE_QUEUE.bytes))).to.deep.equal([1, 4, 5, 6])
  })

  it('keeps parts of blocks out of the way of messages: each class has its own limits', () => {
    const queue = new PeerQueue()
    for (let i = 0; i < 2 * PART_QUEUE.count; i++) queue.push('part', 7, item(1))
    expect(queue.push('message', 1, item(2))).to.equal(0)
    expect(queue.length).to.equal(PART_QUEUE.count + 1)
  })

  it('is never over its limits, and counts all that it drops', () => {
    const step = fc.record({
      priority: fc.constantFrom<Priority>('message', 'other', 'part'),
      height: fc.nat(5),
      size: fc.integer({ min: 1, max: 700_000 }),
      take: fc.option(fc.nat(1_000_000)),
    })
    fc.assert(
      fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
        const queue = new PeerQueue()
        let left = 0
        for (const { priority, height, size, take } of steps) {
          left += 1 - queue.push(priority, height, item(1, size))
          if (take !== null) left -= queue.take(take).length
          expect(queue.length).to.equal(left)
          const most = Object.values(LIMITS).reduce((sum, { bytes }) => sum + bytes, 0)
          expect(queue.byteLength).to.be.at.most(most)
        }
        while (queue.length > 0) expect(queue.take(0)).to.have.length(1)
        expect(queue.byteLength).to.equal(0)
      }),
      { numRuns: 50 },
    )
  })
})
