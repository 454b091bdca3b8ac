import { expect } from 'chai'
import { MAX_READS, Reads } from '../../../consensus/cell/reads.ts'
import { codeOf } from '../../../protocols/shared/errors.ts'

const codeFrom = (promise: Promise<unknown>) => promise.then(() => undefined, codeOf)

describe('reads by read index (Raft §6.4)', () => {
  const begin = () => new Reads(new Uint8Array(8))

  it('the answer to a question that was asked again counts, whichever of both it is', async () => {
    for (const which of [0, 1]) {
      const reads = begin()
      const read = reads.add(1000)
      const contexts = [reads.ask(0)!]
      reads.retry(300, 240)
      contexts.push(reads.ask(300)!)
      reads.answered(contexts[which]!, 7, 7)
      await read
      reads.retry(2000, 0)
      expect(reads.ask(2000), 'nobody waits').to.equal(undefined)
    }
  })

  it('each question is asked again once, by one new question for all of them', () => {
    const reads = begin()
    const waiting = [0, 1, 2].map((at) => {
      const read = reads.add(10_000)
      reads.ask(at)
      return codeFrom(read)
    })
    reads.retry(300, 240)
    expect(reads.ask(300)).to.not.equal(undefined)
    reads.retry(301, 240)
    expect(reads.ask(301)).to.equal(undefined)
    reads.failAll()
    return Promise.all(waiting)
  })

  it('waits until the index is applied, and no longer than its deadline', async () => {
    const reads = begin()
    const [late, early] = [reads.add(100), reads.add(1000)]
    reads.answered(reads.ask(0)!, 7, 6)
    reads.expire(100)
    expect(await codeFrom(late)).to.equal('E_NO_QUORUM')
    reads.applied(7)
    await early
  })

  it(`takes ${MAX_READS} at once; each that ends makes room`, async () => {
    const reads = begin()
    const waiting = Array.from({ length: MAX_READS }, () => codeFrom(reads.add(100)))
    expect(() => reads.add(100))
      .to.throw()
      .with.property('code', 'E_CELL_BUSY')
    reads.ask(0)
    reads.retry(50, 10)
    expect(() => reads.add(100))
      .to.throw()
      .with.property('code', 'E_CELL_BUSY')
    reads.expire(100)
    expect(new Set(await Promise.all(waiting))).to.deep.equal(new Set(['E_NO_QUORUM']))
    const read = reads.add(1000)
    reads.answered(reads.ask(200)!, 1, 1)
    await read
  })
})
