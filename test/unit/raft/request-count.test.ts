import { expect } from 'chai'
import { MAX_REQUESTS, MAX_REQUESTS_PER_PEER } from '../../../protocols/raft/constants.ts'
import { RequestCount } from '../../../protocols/raft/request-count.ts'

describe('the count of requests', () => {
  let count: RequestCount
  let end: PromiseWithResolvers<void>
  let work: number
  const ask = (peer: string) =>
    count.run(peer, async () => {
      work++
      await end.promise
    })

  beforeEach(() => {
    count = new RequestCount()
    end = Promise.withResolvers<void>()
    work = 0
  })

  it(`lets ${MAX_REQUESTS_PER_PEER} of one peer run, and others besides`, async () => {
    const running = Array.from({ length: MAX_REQUESTS_PER_PEER }, () => ask('a'))
    expect(await ask('a')).to.equal(false)
    expect(work).to.equal(MAX_REQUESTS_PER_PEER)
    running.push(ask('b'))
    expect(work).to.equal(MAX_REQUESTS_PER_PEER + 1)
    end.resolve()
    expect(await Promise.all(running)).to.not.include(false)
    expect(await ask('a')).to.equal(true)
  })

  it(`lets ${MAX_REQUESTS} run in all`, async () => {
    const running = Array.from({ length: MAX_REQUESTS }, (_, i) => ask(`peer ${i}`))
    expect(await ask('one more')).to.equal(false)
    end.resolve()
    expect(await Promise.all(running)).to.not.include(false)
    expect(await ask('one more')).to.equal(true)
  })

  it('forgets a request that failed', async () => {
    for (let i = 0; i <= MAX_REQUESTS; i++) {
      const failing = count.run('a', () => Promise.reject(new Error('broken')))
      expect(await failing.catch((error: unknown) => String(error))).to.equal('Error: broken')
    }
  })
})
