import { expect } from 'chai'
import { killCycle, timesText } from '../helpers/cell-kills.ts'
import { canCutPower, cutPower } from '../helpers/cell-power.ts'
import { CellWriters } from '../helpers/cell-writers.ts'
import { RealCell } from '../helpers/cell.ts'

const CYCLES = 100
const ELECTIONS = 50
const CUTS = 20
/** The target of the cell (max over 50 kills) on a machine that does nothing else. */
const LONGEST_ELECTION_MS = 5_000

describe('a cell of three real nodes with eight writers, for long', function () {
  this.timeout(1_800_000)
  let cell: RealCell
  let writers: CellWriters
  beforeEach(async () => {
    cell = await RealCell.of(3)
    writers = new CellWriters(cell).start(8)
  })
  afterEach(async () => {
    await writers.stop()
    await cell.close()
  })

  it(`loses nothing acknowledged in ${CYCLES} kills, one of four times of the whole cell`, async () => {
    for (let cycle = 0; cycle < CYCLES; cycle++) {
      const { lost } = await killCycle(cell, writers, cycle % 4 === 3 ? 'all' : 'any')
      expect(lost, `cycle ${cycle}`).to.deep.equal([])
    }
    console.log(`      ${writers.acknowledged} writes acknowledged, none lost`)
  })

  it(`serves again within ${LONGEST_ELECTION_MS} ms of its leader’s death, ${ELECTIONS} times`, async () => {
    const times: number[] = []
    for (let kill = 0; kill < ELECTIONS; kill++) {
      const { lost, electionMs } = await killCycle(cell, writers, 'leader')
      expect(lost, `kill ${kill}`).to.deep.equal([])
      times.push(electionMs!)
    }
    console.log(`      ${timesText(times)}`)
    expect(Math.max(...times)).to.be.lessThan(LONGEST_ELECTION_MS)
  })

  it(`loses nothing acknowledged in ${CUTS} power cuts that take all three`, async function () {
    if (!canCutPower()) this.skip()
    await Promise.all(cell.names.map((name) => cell.end(name)))
    let gone = 0
    for (let cut = 0; cut < CUTS; cut++) {
      gone += await cutPower(cell, writers)
      await Promise.all(cell.names.map((name) => cell.run(name)))
      await cell.leader()
      for (const name of cell.names) expect(await writers.lost(name), `cut ${cut}`).to.deep.equal([])
      await Promise.all(cell.names.map((name) => cell.end(name)))
    }
    console.log(`      ${writers.acknowledged} writes acknowledged, none lost; ${gone} unsynced bytes gone`)
    expect(gone).to.be.greaterThan(0)
  })
})
