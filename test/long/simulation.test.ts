import { expect } from 'chai'
import { MUTANTS } from '../simulation/mutants/index.ts'
import type { ScheduleOptions } from '../simulation/options.ts'
import { hunt, simulate } from '../simulation/run.ts'

const OPTIONS: ScheduleOptions = { seed: 1, nodes: 5, seconds: 10, mutant: undefined, verbose: false }
const BUDGET_MS = 60_000
const SCHEDULES = 10_000

describe('whole cells, for long', function () {
  this.timeout(0)

  it(`keep every invariant in ${SCHEDULES} schedules of five nodes`, async () => {
    for (let seed = 1; seed <= SCHEDULES; seed++) {
      const { violation } = await simulate({ ...OPTIONS, seed })
      expect(violation, `npm run simulate -- --seeds 1 --seed ${seed} --trace`).to.equal(undefined)
    }
  })

  it('have twenty mutants at least', () => expect(new Set(MUTANTS.map(({ name }) => name)).size).to.be.at.least(20))

  for (const { name, what } of MUTANTS) {
    it(`tell ${name} within a minute: ${what}`, async () => {
      const outcome = await hunt({ ...OPTIONS, mutant: name }, BUDGET_MS)
      expect(outcome).to.have.property('violation').that.is.an('object')
    })
  }
})
