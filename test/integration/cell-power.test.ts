import { expect } from 'chai'
import { canCutPower, cutPower } from '../helpers/cell-power.ts'
import { CellWriters } from '../helpers/cell-writers.ts'
import { RealCell } from '../helpers/cell.ts'

const CUTS = 2

describe('a power cut that takes all three real nodes of a cell', function () {
  this.timeout(120_000)

  it('loses nothing acknowledged, though all that was not synced is gone', async function () {
    if (!canCutPower()) {
      console.warn('      skipped: strace is not here, or may not trace')
      return this.skip()
    }
    const cell = await RealCell.of(3)
    const writers = new CellWriters(cell).start(8)
    try {
      await writers.serves(1)
      await Promise.all(cell.names.map((name) => cell.end(name)))
      for (let cut = 0; cut < CUTS; cut++) expect(await cutPower(cell, writers), 'bytes gone').to.be.greaterThan(0)
      await Promise.all(cell.names.map((name) => cell.run(name)))
      await cell.leader()
      for (const name of cell.names) expect(await writers.lost(name)).to.deep.equal([])
    } finally {
      await writers.stop()
      await cell.close()
    }
  })
})
