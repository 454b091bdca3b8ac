import { expect } from 'chai'
import { byClients, pinRates } from '../../bench/pins-rate.ts'

describe('pins a second', () => {
  it('gives each item once, to so many clients at a time', async () => {
    const done: string[] = []
    const items = Array.from({ length: 20 }, (_, n) => `item ${n}`)
    let [atOnce, most] = [0, 0]
    await byClients(4, items, async (item) => {
      most = Math.max(most, ++atOnce)
      await new Promise(setImmediate)
      atOnce--
      done.push(item)
    })
    expect(done.toSorted()).to.deep.equal(items.toSorted())
    expect(most).to.equal(4)
  })

  it('asks for the copies after all was acknowledged, and until they are there', async () => {
    const steps: string[] = []
    const work = async () => {
      await new Promise(setImmediate)
      steps.push('acknowledged')
    }
    const counts = async () => 3 * (steps.push('asked') - 1)
    const { committed, held } = await pinRates(9, work, counts)
    expect(steps).to.deep.equal(['acknowledged', 'asked', 'asked', 'asked'])
    expect(held).to.be.lessThan(committed)
  })
})
