import { expect } from 'chai'
import { Budget } from '../../../../node/content/blocks/budget.ts'
import { DirectorySyncs } from '../../../../node/content/blocks/directory-syncs.ts'
import { KeyQueue } from '../../../../node/content/blocks/key-queue.ts'
import { pipelined } from '../../../../node/content/blocks/pipelined.ts'
import { codeThrown, collectAll } from '../../../helpers/content-node.ts'

const tick = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

describe('queues of the block store', () => {
  it('a budget runs what fits in order, and alone what is heavier than all of it', async () => {
    const budget = new Budget(10)
    const ends: (() => void)[] = []
    const begun: string[] = []
    const run = (name: string, weight: number): Promise<void> =>
      budget.run(weight, () => {
        begun.push(name)
        return new Promise((resolve) => ends.push(resolve))
      })
    const all = [run('a', 6), run('b', 6), run('c', 1), run('giant', 99)]
    await tick()
    // c would fit, but nobody overtakes.
    expect(begun.splice(0)).to.deep.equal(['a'])
    ends.shift()!()
    await tick()
    expect(begun.splice(0)).to.deep.equal(['b', 'c'])
    ends.shift()!()
    await tick()
    expect(begun.splice(0)).to.deep.equal([])
    ends.shift()!()
    await tick()
    expect(begun.splice(0)).to.deep.equal(['giant'])
    ends.shift()!()
    await Promise.all(all)
  })

  it('tasks of one key follow each other, also after one that failed; idle waits for all', async () => {
    const queue = new KeyQueue()
    const said: string[] = []
    const say = (text: string) => async () => {
      await tick()
      said.push(text)
      if (text === 'x1') throw new Error(text)
    }
    const first = queue.run('x', say('x1')).catch(() => undefined)
    void queue.run('x', say('x2'))
    void queue.run('y', say('y1'))
    await queue.idle()
    await first
    expect(said).to.have.members(['x1', 'x2', 'y1'])
    expect(said.indexOf('x1')).to.be.lessThan(said.indexOf('x2'))
  })

  it('a task of several keys waits for each of them, and each waits for it', async () => {
    const queue = new KeyQueue()
    const said: string[] = []
    const say = (text: string) => async () => {
      await tick()
      said.push(text)
    }
    await Promise.all([
      queue.run('x', say('x1')),
      queue.run(['x', 'y'], say('both')),
      queue.run('y', say('y1')),
      queue.run('z', say('z1')),
    ])
    expect(said).to.deep.equal(['x1', 'z1', 'both', 'y1'])
    await queue.idle()
  })

  it('renames during a directory sync share the next one, and one failure is not that of the next', async () => {
    const syncs: { directory: string; end: PromiseWithResolvers<void> }[] = []
    const group = new DirectorySyncs((directory) => {
      const end = Promise.withResolvers<void>()
      syncs.push({ directory, end })
      return end.promise
    })
    const first = codeThrown(() => group.sync('a'))
    const later = Promise.all([group.sync('a'), group.sync('a'), group.sync('a')])
    const other = group.sync('b')
    expect(syncs.map(({ directory }) => directory)).to.deep.equal(['a', 'b'])
    syncs[0]!.end.reject(Object.assign(new Error('io'), { code: 'EIO' }))
    syncs[1]!.end.resolve()
    expect(await first).to.equal('EIO')
    await other
    await tick()
    expect(syncs).to.have.length(3)
    syncs[2]!.end.resolve()
    await later
    const alone = group.sync('a')
    expect(syncs).to.have.length(4)
    syncs[3]!.end.resolve()
    await alone
  })

  it('a pipeline keeps the order, its limits, and waits for what it began when its reader leaves', async () => {
    let [running, most, ended] = [0, 0, 0]
    const task = async (n: number): Promise<number> => {
      most = Math.max(most, ++running)
      for (let i = 0; i < 10 - n; i++) await tick()
      running--
      ended++
      return n
    }
    const limits = { tasks: 3, weight: 100, weightOf: () => 1 }
    expect(await collectAll(pipelined([0, 1, 2, 3, 4, 5], limits, task))).to.deep.equal([0, 1, 2, 3, 4, 5])
    expect(most).to.equal(3)
    ended = 0
    for await (const n of pipelined([0, 1, 2, 3, 4, 5], limits, task)) if (n === 0) break
    expect([ended, running]).to.deep.equal([3, 0])
  })
})
