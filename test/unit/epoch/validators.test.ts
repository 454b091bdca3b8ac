import { readFileSync } from 'node:fs'
import { expect } from 'chai'
import { proposerOf } from '../../../consensus/epoch/index.ts'

interface Vector {
  powers: number[]
  height: number
  round: number
  proposer: number
}

const vectors: Vector[] = JSON.parse(
  readFileSync(new URL('../../fixtures/bft-proposers.json', import.meta.url), 'utf8'),
)

describe('epoch: proposer', () => {
  it('is the one that the engine takes, for every vector', () => {
    expect(vectors).to.have.length.above(100)
    for (const { powers, height, round, proposer } of vectors) {
      const validators = powers.map((power, at) => ({ key: new Uint8Array(32).fill(at), power }))
      expect(proposerOf(validators, height, round)[0], JSON.stringify({ powers, height, round })).to.equal(proposer)
    }
  })

  it('has each propose in proportion to its power', () => {
    const validators = [1, 2, 5].map((power, at) => ({ key: new Uint8Array(32).fill(at), power }))
    const counts = [0, 0, 0]
    for (let height = 1; height <= 8000; height++) counts[proposerOf(validators, height, 0)[0]!]!++
    counts.forEach((count, at) => expect(count / 1000).to.be.closeTo([1, 2, 5][at]!, 0.3))
  })
})
