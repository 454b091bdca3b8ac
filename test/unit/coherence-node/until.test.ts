import { queryObjects } from 'node:v8'
import { expect } from 'chai'
import { until } from '../../../node/coherence/ingest/transforms.ts'
import { untilAborted } from '../../../protocols/shared/until-aborted.ts'

/** Found on the heap by its constructor. */
class Batch {
  readonly values = 1
}

async function* batches(count: number): AsyncGenerator<Batch> {
  for (let at = 0; at < count; at++) yield new Batch()
}

describe('a stream that ends when it is told to', () => {
  for (const stream of [until, untilAborted]) {
    it(`keeps nothing of what it has yielded, however long it runs (${stream.name})`, async () => {
      const running = stream(batches(10_000), new AbortController().signal)
      for (let read = 0; read < 5000; read++) await running.next()
      expect(queryObjects(Batch)).to.be.below(10)
      await running.return(undefined)
    })
  }

  it('ends at once when nothing comes any more', async () => {
    const stop = new AbortController()
    async function* silent(): AsyncGenerator<Batch> {
      await new Promise(() => {})
      yield new Batch()
    }
    const next = until(silent(), stop.signal).next()
    stop.abort()
    expect((await next).done).to.equal(true)
  })
})
