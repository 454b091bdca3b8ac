import { expect } from 'chai'
import * as fc from 'fast-check'
import { GroupCommit } from '../../../node/storage/group-commit.ts'

interface Batch {
  operations: number[]
  sync: boolean
  done: PromiseWithResolvers<void>
}

/** A disk whose writes end when the test says so. */
function disk() {
  const batches: Batch[] = []
  const fatal: unknown[] = []
  let arrived = Promise.withResolvers<void>()
  const group = new GroupCommit<number>(
    (operations, sync) => {
      const done = Promise.withResolvers<void>()
      batches.push({ operations, sync, done })
      arrived.resolve()
      return done.promise
    },
    (error) => fatal.push(error),
  )
  const nthBatch = async (index: number): Promise<Batch> => {
    for (let batch = batches[index]; ; batch = batches[index]) {
      if (batch !== undefined) return batch
      await arrived.promise
      arrived = Promise.withResolvers<void>()
    }
  }
  return { group, batches, fatal, nthBatch }
}

const one = (operation: number, sync = true) => ({ operations: [operation], bytes: 1, sync })

describe('group commit', () => {
  it('puts the writes of one tick in one batch, and those that wait meanwhile in the next', async () => {
    const { group, batches, nthBatch } = disk()
    const early = [group.commit(one(1)), group.commit(one(2, false)), group.commit(one(3))]
    const first = await nthBatch(0)
    expect(first).to.deep.include({ operations: [1, 2, 3], sync: true })
    const late = [group.commit(one(4, false)), group.commit(one(5, false))]
    first.done.resolve()
    await Promise.all(early)
    const second = await nthBatch(1)
    expect(second).to.deep.include({ operations: [4, 5], sync: false })
    second.done.resolve()
    await Promise.all(late)
    expect(batches).to.have.lengthOf(2)
  })

  it('acknowledges nothing before its batch is written', async () => {
    const { group, nthBatch } = disk()
    let acknowledged = false
    const write = group.commit(one(1)).then(() => (acknowledged = true))
    const batch = await nthBatch(0)
    await Promise.resolve()
    expect(acknowledged).to.equal(false)
    batch.done.resolve()
    await write
    expect(acknowledged).to.equal(true)
  })

  it('splits what would be too large, never one caller’s operations', async () => {
    const { group, nthBatch } = disk()
    const big = (operations: number[]) => group.commit({ operations, bytes: 3_000_000, sync: true })
    const writes = [big([1, 2]), big([3, 4]), big([5])]
    for (const index of [0, 1, 2]) (await nthBatch(index)).done.resolve()
    await Promise.all(writes)
    const { operations } = await nthBatch(1)
    expect(operations).to.deep.equal([3, 4])
  })

  it('after one failure refuses everything, and says so once', async () => {
    const { group, batches, fatal, nthBatch } = disk()
    const failing = [group.commit(one(1))]
    const batch = await nthBatch(0)
    failing.push(group.commit(one(2)))
    const failure = new Error('fsync')
    batch.done.reject(failure)
    for (const outcome of await Promise.allSettled([...failing, group.commit(one(3))])) {
      expect(outcome).to.deep.include({ status: 'rejected', reason: failure })
    }
    const later = await group.commit(one(4)).catch((error: unknown) => error)
    expect(later).to.equal(failure)
    expect(fatal).to.deep.equal([failure])
    expect(batches).to.have.lengthOf(1)
  })

  it('closing waits for what was accepted and refuses the rest', async () => {
    const { group, nthBatch } = disk()
    const write = group.commit(one(1))
    const closed = group.close()
    const refusal = await group.commit(one(2)).catch((error: unknown) => error)
    expect(refusal).to.include({ code: 'E_STORAGE_CLOSED' })
    ;(await nthBatch(0)).done.resolve()
    await Promise.all([write, closed])
  })

  it('keeps the order of the calls, each operation once, whatever the timing', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.boolean(), { maxLength: 40 }), async (pauses) => {
        const written: number[] = []
        const group = new GroupCommit<number>(
          async (operations) => {
            await Promise.resolve()
            written.push(...operations)
          },
          () => undefined,
        )
        const writes: Promise<void>[] = []
        for (const [index, pause] of pauses.entries()) {
          writes.push(group.commit(one(index)))
          if (pause) await Promise.resolve()
        }
        await Promise.all(writes)
        expect(written).to.deep.equal([...pauses.keys()])
      }),
    )
  })
})
