import { expect } from 'chai'
import { EventLog, firstCursor } from '../../../node/events.ts'
import type { NodeEvent } from '../../../node/operations.ts'

describe('event log', () => {
  let log: EventLog
  let abort: AbortController
  beforeEach(() => {
    log = new EventLog()
    abort = new AbortController()
  })
  afterEach(() => abort.abort())

  const publish = (count: number) => {
    for (let i = 0; i < count; i++) log.publish('node', { i })
  }
  const take = async (watch: AsyncGenerator<NodeEvent>, count: number): Promise<number[]> => {
    const seen: number[] = []
    while (seen.length < count) seen.push((await watch.next()).value.cursor)
    return seen
  }

  it('gives from now on without a cursor, and what came after a cursor with one', async () => {
    publish(3)
    const live = log.watch(undefined, abort.signal)
    const next = live.next()
    publish(1)
    expect((await next).value).to.deep.include({ cursor: 4, type: 'node', data: { i: 0 } })
    expect(await take(log.watch(2, abort.signal), 2)).to.deep.equal([3, 4])
    expect(await take(log.watch(0, abort.signal), 4)).to.deep.equal([1, 2, 3, 4])
  })

  it('gives all that is kept to a watcher from another life of the node, and says that it missed some', async () => {
    log = new EventLog(firstCursor(1000))
    publish(2)
    for (const cursor of [firstCursor(999) + 7, firstCursor(1001)]) {
      const watch = log.watch(cursor, abort.signal)
      expect((await watch.next()).value).to.deep.include({ cursor: 100_000, type: 'gap', data: { reason: 'restart' } })
      expect(await take(watch, 2)).to.deep.equal([100_001, 100_002])
    }
    expect(await take(log.watch(0, abort.signal), 2)).to.deep.equal([100_001, 100_002])
    expect(await take(log.watch(100_001, abort.signal), 1)).to.deep.equal([100_002])
  })

  it('tells a watcher whose events are no longer kept, once, and gives it the rest', async () => {
    publish(1500)
    const watch = log.watch(100, abort.signal)
    expect((await watch.next()).value).to.deep.include({ cursor: 100, type: 'gap', data: { reason: 'dropped' } })
    expect(await take(watch, 1000)).to.deep.equal(Array.from({ length: 1000 }, (_, at) => 501 + at))
    publish(1)
    expect(await take(watch, 1)).to.deep.equal([1501])
    expect(await take(log.watch(501, abort.signal), 1)).to.deep.equal([502])
  })

  it('keeps a thousand of each type, so that a flood of one pushes out no other, and gives all in their order', async () => {
    publish(2)
    for (let i = 0; i < 1500; i++) log.publish('pin', { i })
    publish(1)
    const seen = await take(log.watch(0, abort.signal), 1003)
    expect(seen.slice(0, 3)).to.deep.equal([1, 2, 503])
    expect([seen.at(-1), seen.toSorted((a, b) => a - b)]).to.deep.equal([1503, seen])
    expect(await take(log.watch(1501, abort.signal), 2)).to.deep.equal([1502, 1503])
  })

  it('keeps a thousand; a slow watcher misses the rest and never sees one twice', async () => {
    publish(1)
    const slow = log.watch(0, abort.signal)
    expect(await take(slow, 1)).to.deep.equal([1])
    publish(1500)
    expect((await slow.next()).value).to.include({ cursor: 1, type: 'gap' })
    const seen = await take(slow, 1000)
    expect([seen[0], seen.at(-1), new Set(seen).size]).to.deep.equal([502, 1501, 1000])
  })

  it('serves watchers apart from each other', async () => {
    const [a, b] = [log.watch(0, abort.signal), log.watch(0, abort.signal)]
    publish(2)
    expect(await take(a, 2)).to.deep.equal([1, 2])
    publish(1)
    expect([await take(b, 3), await take(a, 1)]).to.deep.equal([[1, 2, 3], [3]])
  })

  it('ends with the signal, also while it waits and before it began', async () => {
    const waiting = log.watch(undefined, abort.signal).next()
    abort.abort()
    expect(await waiting).to.deep.equal({ done: true, value: undefined })
    expect((await log.watch(0, abort.signal).next()).done).to.equal(true)
  })
})
