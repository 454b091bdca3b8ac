import { expect } from 'chai'
import { replayOf } from '../simulation/mesh/command.ts'
import { meshMutantOf } from '../simulation/mesh/mutants.ts'
import { OPTIONS, type MeshScheduleOptions } from '../simulation/mesh/options.ts'
import { huntMesh, simulateMesh } from '../simulation/mesh/run.ts'

/** `MESH_SCHEDULES` gives more. */
const SCHEDULES = Number(process.env['MESH_SCHEDULES'] ?? 100)
const BUDGET_MS = 60_000

/** About one in thirty-five forks; `--mesh --faulty 2` shows more. */
const FORKS_WITHIN = 300

async function holds(options: MeshScheduleOptions): Promise<void> {
  expect((await simulateMesh(options)).violation, replayOf(options)).to.equal(undefined)
}

describe('whole meshes under virtual time, network and disk', function () {
  this.timeout(2 * BUDGET_MS + SCHEDULES * 2_000)

  for (const [nodes, faulty] of [
    [4, 'one'],
    [7, 'two'],
    [10, 'three'],
  ] as const) {
    it(`of ${nodes} keep one valid record in ${SCHEDULES} schedules, whatever ${faulty} of them do, and go on once healed`, async () => {
      for (let seed = 1; seed <= SCHEDULES; seed++) await holds({ ...OPTIONS, nodes, seed })
    })
  }

  it('fork with two of four at fault: the simulation would see it', async () => {
    const isFork = async (seed: number): Promise<boolean> =>
      (await simulateMesh({ ...OPTIONS, seed, faulty: 2 })).violation?.invariant === 'agreement'
    let seed = 1
    while (seed <= FORKS_WITHIN && !(await isFork(seed))) seed++
    expect(seed).to.be.at.most(FORKS_WITHIN)
  })

  it('replay byte for byte from their seed', async () => {
    for (const seed of [1, 2, 3]) {
      const [first, second] = [await simulateMesh({ ...OPTIONS, seed }), await simulateMesh({ ...OPTIONS, seed })]
      expect(second).to.deep.equal(first)
      expect((await simulateMesh({ ...OPTIONS, seed: seed + 50 })).hash).to.not.equal(first.hash)
    }
  })

  for (const mutant of ['publish-before-durable', 'evidence-ignored', 'report-left-out', 'signers-counted-twice']) {
    it(`tell the planted defect ${mutant}`, async () => {
      expect(await huntMesh({ ...OPTIONS, lie: meshMutantOf(mutant).lie, mutant }, BUDGET_MS))
        .to.have.property('violation')
        .that.is.an('object')
    })
  }

  it('go on when one validator alone decided, with an extension that nobody else takes (seeds 122 and 224)', async () => {
    for (const seed of [122, 224]) await holds({ ...OPTIONS, seed })
  })
})
