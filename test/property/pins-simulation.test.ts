import { expect } from 'chai'
import { PIN_MUTANTS } from '../simulation/pins/mutants.ts'
import { simulatePins } from '../simulation/pins/run.ts'

/** `PIN_SCHEDULES` gives more. */
const SCHEDULES = Number(process.env['PIN_SCHEDULES'] ?? 100)
const HUNTED = 60

const run = (seed: number, mutant?: string) => simulatePins({ seed, mutant, verbose: false })
const replay = (seed: number, mutant = '') => `npm run simulate -- --pins --seeds 1 --seed ${seed} --trace ${mutant}`

describe('who holds what, under virtual time, faults and changing wishes', function () {
  this.timeout(60_000 + SCHEDULES * 1_000)

  it(`keeps every invariant in ${SCHEDULES} schedules, and comes to rest with every pin as it is to be`, async () => {
    for (let seed = 1; seed <= SCHEDULES; seed++) {
      const { violation } = await run(seed)
      expect(violation, replay(seed)).to.equal(undefined)
    }
  })

  it('replays byte for byte from its seed', async () => {
    const [first, second, other] = [await run(1), await run(1), await run(2)]
    expect(second).to.deep.equal(first)
    expect(other.hash).to.not.equal(first.hash)
  })

  for (const { name, what } of PIN_MUTANTS) {
    it(`tells the planted defect ${name}: ${what}`, async () => {
      for (let seed = 1; seed <= HUNTED; seed++) if ((await run(seed, name)).violation !== undefined) return
      expect.fail(`${HUNTED} schedules hold with it`)
    })
  }
})
