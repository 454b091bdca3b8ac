import { expect } from 'chai'
import { canCutPower } from '../helpers/cell-power.ts'
import { PinNodeKills } from '../helpers/pin-node-kills.ts'

const KILLS = 200
const KILLS_OF_THREE = 30
const CUTS = 20

describe('a real node that dies while it adds, pins, unpins and sweeps, for long', function () {
  this.timeout(3_600_000)
  const opened: PinNodeKills[] = []
  const open = async (nodes: number): Promise<PinNodeKills> => {
    const kills = await PinNodeKills.open(nodes)
    opened.push(kills)
    return kills
  }
  afterEach(async () => {
    for (const kills of opened.splice(0)) await kills.close()
  })

  it(`(kill -9, ${KILLS} times) keeps every acknowledged pin whole, and gc takes all else`, async () => {
    const kills = await open(1)
    for (let kill = 0; kill < KILLS; kill++) await kills.kill()
    console.log(`      ${kills.acknowledged} changes acknowledged, none lost`)
    expect(kills.acknowledged).to.be.greaterThan(KILLS)
  })

  it(`(kill -9 of any of three, ${KILLS_OF_THREE} times) keeps every acknowledged pin whole on all three`, async () => {
    const kills = await open(3)
    for (let kill = 0; kill < KILLS_OF_THREE; kill++) await kills.kill()
    await kills.restart()
    expect(kills.acknowledged).to.be.greaterThan(KILLS_OF_THREE)
  })

  it(`(power cut, ${CUTS} times) keeps every acknowledged pin whole, though all that was not synced is gone`, async function () {
    if (!canCutPower()) this.skip()
    const kills = await open(1)
    let gone = 0
    for (let cut = 0; cut < CUTS; cut++) gone += await kills.cutPower()
    console.log(`      ${kills.acknowledged} changes acknowledged, none lost; ${gone} unsynced bytes gone`)
    expect(gone).to.be.greaterThan(0)
  })
})
