import { expect } from 'chai'
import { WorkCount } from '../../../protocols/shared/work-count.ts'

const PER_PEER = 2
const IN_ALL = 5

describe('the count of what is done for peers', () => {
  let count: WorkCount
  let end: PromiseWithResolvers<void>
  let work: number
  const ask = (peer: string) =>
    count.run(peer, async () => {
      work++
      await end.promise
      return peer
    })

  beforeEach(() => {
    count = new WorkCount(PER_PEER, IN_ALL)
    end = Promise.withResolvers<void>()
    work = 0
  })

  it(`lets ${PER_PEER} of one peer run, and others besides`, async () => {
    const running = Array.from({ length: PER_PEER }, () => ask('a'))
    expect(await ask('a')).to.equal(undefined)
    expect(work).to.equal(PER_PEER)
    running.push(ask('b'))
    expect(work).to.equal(PER_PEER + 1)
    end.resolve()
    expect(await Promise.all(running)).to.not.include(undefined)
    expect(await ask('a')).to.deep.equal({ result: 'a' })
  })

  it(`lets ${IN_ALL} run in all`, async () => {
    const running = Array.from({ length: IN_ALL }, (_, i) => ask(`peer ${i}`))
    expect(await ask('one more')).to.equal(undefined)
    end.resolve()
    expect(await Promise.all(running)).to.not.include(undefined)
    expect(await ask('one more')).to.deep.equal({ result: 'one more' })
  })

  it('forgets a request that failed', async () => {
    for (let i = 0; i <= IN_ALL; i++) {
      const failing = count.run('a', () => Promise.reject(new Error('broken')))
      expect(await failing.catch((error: unknown) => String(error))).to.equal('Error: broken')
    }
  })
})
