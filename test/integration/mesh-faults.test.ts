import { existsSync } from 'node:fs'
import { expect } from 'chai'
import type { MotionDocument } from '../../node/operations-mesh.ts'
import { Operators } from '../helpers/operators.ts'

const FOUR = ['alpha', 'beta', 'gamma', 'delta']

describe('four validators as processes, under load', function () {
  this.timeout(120_000)
  let mesh: Operators
  let isLoading = true
  let commands = 0

  before(async function () {
    if (!existsSync('/proc/net/tcp')) this.skip()
    mesh = await Operators.open()
    await mesh.found(FOUR, 300)
    await mesh.wire(FOUR)
    await Promise.all(FOUR.map((name) => mesh.run(name)))
    await mesh.reach(3, FOUR)
  })
  after(() => mesh?.close())

  /** Motions and votes on them, one after another, by those who can. */
  const load = async (): Promise<void> => {
    for (let i = 0; isLoading; i++) {
      const change = { type: 'policy-set', policy: { idleEpochMs: 5_000 + i } }
      const moved = await mesh.call<MotionDocument>(FOUR[i % 4]!, 'motions/move', { change })
      if (!moved.ok) continue
      for (const by of FOUR) await mesh.call(by, 'motions/vote', { motion: moved.data.id, yes: i % 2 === 0 })
      commands += 1
    }
  }

  it('one is killed and started again, one is cut off and back: all have the same epochs, nobody signed twice', async () => {
    const loading = load()
    await mesh.end('delta', 'SIGKILL')
    const { height } = (await mesh.chain('alpha'))!
    await mesh.reach(height + 5, FOUR.slice(0, 3))
    await mesh.run('delta')
    await mesh.reach(height + 7, FOUR)
    mesh.cut('gamma', 'both')
    const { height: cutAt } = (await mesh.chain('alpha'))!
    await mesh.reach(cutAt + 5, ['alpha', 'beta', 'delta'])
    mesh.cut('gamma', undefined)
    await mesh.reach(cutAt + 8, FOUR)
    isLoading = false
    await loading
    expect(commands).to.be.above(0)
    const to = cutAt + 8
    const rows = await Promise.all(FOUR.map((name) => mesh.epochs(name, to)))
    for (const of of rows) expect(of.map(({ cid }) => cid)).to.deep.equal(rows[0]!.map(({ cid }) => cid))
    expect(rows[0]).to.have.lengthOf(to)
    expect(rows[0]!.reduce((sum, { evidence }) => sum + evidence, 0)).to.equal(0)
    for (const name of FOUR) expect((await mesh.chain(name))!.counters).to.include({ evidence: 0, traps: 0 })
  })
})
