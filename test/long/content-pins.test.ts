import { expect } from 'chai'
import { PinKills } from '../helpers/pin-kills.ts'

const KILLS = 200

describe('pins of a process that is killed', function () {
  this.timeout(1_800_000)
  let kills: PinKills
  beforeEach(async () => {
    kills = await PinKills.open()
  })
  afterEach(() => kills.close())

  it(`(kill -9, ${KILLS} times) are all there that were acknowledged, whole, and gc takes all else`, async () => {
    for (let kill = 0; kill < KILLS; kill++) await kills.cycle(kill % 2 === 1)
    expect(kills.acknowledged).to.be.greaterThan(KILLS)
  })
})
