import { expect } from 'chai'
import { canCutPower } from '../helpers/cell-power.ts'
import { PinNodeKills } from '../helpers/pin-node-kills.ts'

const KILLS = 10
const CUTS = 3

describe('a real node that dies while it adds, pins, unpins and sweeps', function () {
  this.timeout(180_000)
  let kills: PinNodeKills
  beforeEach(async () => {
    kills = await PinNodeKills.open()
  })
  afterEach(() => kills.close())

  it(`(kill -9, ${KILLS} times) keeps every acknowledged pin whole, and gc takes all else`, async () => {
    for (let kill = 0; kill < KILLS; kill++) await kills.kill()
    expect(kills.acknowledged).to.be.greaterThan(KILLS)
  })

  it(`(power cut, ${CUTS} times) keeps every acknowledged pin whole, though all that was not synced is gone`, async function () {
    if (!canCutPower()) {
      console.warn('      skipped: strace is not here, or may not trace')
      return this.skip()
    }
    for (let cut = 0; cut < CUTS; cut++) expect(await kills.cutPower(), 'bytes gone').to.be.greaterThan(0)
  })
})
