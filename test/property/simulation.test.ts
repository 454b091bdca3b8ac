import { expect } from 'chai'
import type { ScheduleOptions } from '../simulation/options.ts'
import { hunt, simulate } from '../simulation/run.ts'

const OPTIONS: ScheduleOptions = { seed: 1, nodes: 5, seconds: 10, mutant: undefined, verbose: false }
const BUDGET_MS = 60_000

describe('whole cells under virtual time, network and disk', function () {
  this.timeout(2 * BUDGET_MS)

  it('keep every invariant in 300 schedules of five nodes, and are one again when healed', async () => {
    for (let seed = 1; seed <= 300; seed++) {
      const { violation } = await simulate({ ...OPTIONS, seed })
      expect(violation, `npm run simulate -- --seeds 1 --seed ${seed} --trace`).to.equal(undefined)
    }
  })

  for (const nodes of [1, 3, 7]) {
    it(`keep every invariant with ${nodes} founders`, async () => {
      for (let seed = 1; seed <= 10; seed++) {
        const { violation, answered } = await simulate({ ...OPTIONS, nodes, seed })
        expect(violation, `npm run simulate -- --seeds 1 --seed ${seed} --nodes ${nodes}`).to.equal(undefined)
        expect(answered).to.be.greaterThan(0)
      }
    })
  }

  it('replay byte for byte from their seed', async () => {
    for (let seed = 1; seed <= 5; seed++) {
      const [first, second] = [await simulate({ ...OPTIONS, seed }), await simulate({ ...OPTIONS, seed })]
      expect(second).to.deep.equal(first)
      expect((await simulate({ ...OPTIONS, seed: seed + 100 })).hash).to.not.equal(first.hash)
    }
  })

  for (const mutant of ['send-before-durable', 'read-at-own-commit', 'dedupe-off']) {
    it(`tell the planted defect ${mutant}`, async () => {
      expect(await hunt({ ...OPTIONS, mutant }, BUDGET_MS))
        .to.have.property('violation')
        .that.is.an('object')
    })
  }
})
