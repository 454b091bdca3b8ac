import { expect } from 'chai'
import { getEventListeners } from 'node:events'
import { unlessAborted } from '../../../protocols/shared/unless-aborted.ts'

describe('waiting unless a signal aborts', () => {
  const REASON = new Error('enough')
  const outcome = (work: Promise<unknown>): Promise<unknown> => work.catch((error: unknown) => error)

  it('gives what the work gives, or what it failed with, and leaves no listener behind', async () => {
    const { signal } = new AbortController()
    const failure = new Error('failed')
    expect(await unlessAborted(Promise.resolve(7), signal)).to.equal(7)
    expect(await outcome(unlessAborted(Promise.reject(failure), signal))).to.equal(failure)
    expect(getEventListeners(signal, 'abort')).to.deep.equal([])
  })

  it('fails with the reason of the abortion, before or while it waits; what the work fails with later bothers nobody', async () => {
    const unhandled: unknown[] = []
    const note = (error: unknown): void => void unhandled.push(error)
    process.on('unhandledRejection', note)
    try {
      const controller = new AbortController()
      const [before, during] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
      const waiting = outcome(unlessAborted(during.promise, controller.signal))
      controller.abort(REASON)
      expect(await waiting).to.equal(REASON)
      expect(await outcome(unlessAborted(before.promise, controller.signal))).to.equal(REASON)
      expect(getEventListeners(controller.signal, 'abort')).to.deep.equal([])
      for (const { reject } of [before, during]) reject(new Error('later'))
      await new Promise(setImmediate)
      expect(unhandled).to.deep.equal([])
    } finally {
      process.off('unhandledRejection', note)
    }
  })
})
