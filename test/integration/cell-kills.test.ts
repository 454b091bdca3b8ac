import { expect } from 'chai'
import { killCycle, timesText, type Whom } from '../helpers/cell-kills.ts'
import { CellWriters } from '../helpers/cell-writers.ts'
import { RealCell } from '../helpers/cell.ts'

const KILLS: Whom[] = ['leader', 'leader', 'follower', 'leader', 'all', 'leader', 'leader']
/** An election takes 1 to 2 s; a machine that is busy with other tests takes longer. */
const LONGEST_ELECTION_MS = 20_000

describe('kill -9 in a cell of three real nodes with eight writers', function () {
  this.timeout(120_000)
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

  it('nothing acknowledged is lost, and after a leader’s death another one serves', async () => {
    const times: (number | undefined)[] = []
    for (const whom of KILLS) {
      const { lost, electionMs } = await killCycle(cell, writers, whom)
      expect(lost, whom).to.deep.equal([])
      times.push(electionMs)
    }
    console.log(`      ${timesText(times)}`)
    for (const name of cell.names) expect(await writers.lost(name)).to.deep.equal([])
    for (const time of times) expect(time ?? 0).to.be.lessThan(LONGEST_ELECTION_MS)
    expect(writers.acknowledged).to.be.greaterThan(2 * 20 * KILLS.length)
  })
})
