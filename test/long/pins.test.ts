import { expect } from 'chai'
import { canCutPower } from '../helpers/cell-power.ts'
import { PinNodeKills } from '../helpers/pin-node-kills.ts'

const KILLS = 200
const CUTS = 20

describe('a real node that dies while it adds, pins, unpins and sweeps, for long', function () {
  this.timeout(3_600_000)
  let kills: PinNodeKills
  beforeEach(async () => {
    kills = await PinNodeKills.open()
  })
  afterEach(() => kills.close())

  it(`(kill -9, ${KILLS} times) keeps every acknowledged pin whole, and gc takes all else`, async () => {
    for (let kill = 0; kill < KILLS; kill++) await kills.kill()
    console.log(`      ${kills.acknowledged} changes acknowledged, none lost`)
    expect(kills.acknowledged).to.be.greaterThan(KILLS)
  })

  it(`(power cut, ${CUTS} times) keeps every acknowledged pin whole, though all that was not synced is gone`, async function () {
    if (!canCutPower()) this.skip()
    let gone = 0
    for (let cut = 0; cut < CUTS; cut++) gone += await kills.cutPower()
    console.log(`      ${kills.acknowledged} changes acknowledged, none lost; ${gone} unsynced bytes gone`)
    expect(gone).to.be.greaterThan(0)
  })
})
