import { expect } from 'chai'
import { replayOf } from '../simulation/mesh/command.ts'
import { MESH_MUTANTS } from '../simulation/mesh/mutants.ts'
import { OPTIONS } from '../simulation/mesh/options.ts'
import { huntMesh, simulateMesh } from '../simulation/mesh/run.ts'

const BUDGET_MS = 60_000
/** `MESH_SCHEDULES` gives more, or fewer. */
const SCHEDULES = Number(process.env['MESH_SCHEDULES'] ?? 10_000)
const FORK_WITHIN = 10_000

describe('whole meshes, for long', function () {
  this.timeout(0)

  for (const nodes of [4, 7, 10]) {
    it(`of ${nodes} keep every invariant in ${SCHEDULES} schedules`, async () => {
      for (let seed = 1; seed <= SCHEDULES; seed++) {
        const { violation } = await simulateMesh({ ...OPTIONS, nodes, seed })
        expect(violation, replayOf({ ...OPTIONS, nodes, seed })).to.equal(undefined)
      }
    })

    it(`of ${nodes} fork in one of ${FORK_WITHIN} schedules with one more at fault than may be`, async () => {
      const faulty = Math.floor((nodes - 1) / 3) + 1
      for (let seed = 1; seed <= FORK_WITHIN; seed++) {
        const { violation } = await simulateMesh({ ...OPTIONS, nodes, faulty, seed })
        if (violation?.invariant === 'agreement') return
      }
      expect.fail('none of them forks')
    })
  }

  it('have ten mutants at least', () => expect(new Set(MESH_MUTANTS.map(({ name }) => name)).size).to.be.at.least(10))

  for (const { name, what, lie } of MESH_MUTANTS) {
    it(`tell ${name} within a minute: ${what}`, async () => {
      const outcome = await huntMesh({ ...OPTIONS, lie, mutant: name }, BUDGET_MS)
      expect(outcome).to.have.property('violation').that.is.an('object')
    })
  }
})
