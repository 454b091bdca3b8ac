import { expect } from 'chai'
import { Semaphore } from '../../../node/content/semaphore.ts'
import { SharedTasks } from '../../../node/content/shared-tasks.ts'

const { signal } = new AbortController()

describe('Semaphore', () => {
  it('runs at most its permits at once, in order', async () => {
    const semaphore = new Semaphore(2)
    let running = 0
    const order: number[] = []
    await Promise.all(
      [1, 2, 3, 4, 5].map((number) =>
        semaphore.run(async () => {
          expect(++running).to.be.at.most(2)
          order.push(number)
          await new Promise((resolve) => setImmediate(resolve))
          running--
        }, signal),
      ),
    )
    expect(order).to.deep.equal([1, 2, 3, 4, 5])
  })

  it('lets a waiting task leave, and gives its place to the next', async () => {
    const semaphore = new Semaphore(1)
    const block = Promise.withResolvers<void>()
    const first = semaphore.run(() => block.promise, signal)
    const cancel = new AbortController()
    const second = semaphore.run(async () => 'never', cancel.signal).catch((error: unknown) => error)
    const third = semaphore.run(async () => 'third', signal)
    cancel.abort(new Error('left'))
    expect(await second).to.have.property('message', 'left')
    block.resolve()
    await first
    expect(await third).to.equal('third')
  })
})

describe('SharedTasks', () => {
  it('runs a task once for all that ask at the same time', async () => {
    const tasks = new SharedTasks<number>()
    let runs = 0
    const ask = (): Promise<number> => tasks.run('key', signal, async () => ++runs)
    expect(await Promise.all([ask(), ask(), ask()])).to.deep.equal([1, 1, 1])
    expect(await ask()).to.equal(2)
  })

  it('cancels the task only when the last has left', async () => {
    const tasks = new SharedTasks<number>()
    const [one, two] = [new AbortController(), new AbortController()]
    let inner: AbortSignal | undefined
    const ask = (signal: AbortSignal): Promise<unknown> =>
      tasks
        .run('key', signal, (shared) => {
          inner = shared
          return new Promise(() => {})
        })
        .catch((error: unknown) => error)
    const asking = [ask(one.signal), ask(two.signal)]
    one.abort(new Error('one'))
    expect(await asking[0]).to.have.property('message', 'one')
    expect(inner?.aborted).to.equal(false)
    two.abort(new Error('two'))
    expect(await asking[1]).to.have.property('message', 'two')
    expect(inner?.aborted).to.equal(true)
  })
})
