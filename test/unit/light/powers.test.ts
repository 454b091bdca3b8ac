import { assert } from 'chai'
import * as fc from 'fast-check'
import { genesisState } from '../../../consensus/epoch/genesis-state.ts'
import { cidOf } from '../../../consensus/epoch/cid.ts'
import { readGenesis } from '../../../consensus/light/genesis.ts'
import { foundingSet, powersOf } from '../../../consensus/light/powers.ts'
import { genesisCodec } from '../../../protocols/admission/codec.ts'
import { createGenesis } from '../../../protocols/admission/genesis.ts'
import { peerIdOf, testKey } from '../../helpers/light-chain.ts'

/** Up to 64 operators of up to 9 founders, some of them not full; weights such that none has a third. */
const genesis = fc
  .array(fc.record({ weight: fc.integer({ min: 50, max: 60 }), full: fc.nat(8) }), { minLength: 1, maxLength: 64 })
  .map((operators) => {
    const cells = operators.map(({ weight }, cell) => [`cell-${cell}`, { weight }] as const)
    const founders = operators.flatMap(({ full }, cell) =>
      Array.from({ length: full + 2 }, (_, i) => ({
        peerId: peerIdOf(cell * 16 + i),
        name: `node-${cell}-${i}`,
        cell: `cell-${cell}`,
        role: i <= full ? ('full' as const) : ('light' as const),
      })),
    )
    return createGenesis(founders, { name: 'any', created: 1, operators: Object.fromEntries(cells) })
  })

describe('the powers of validators', () => {
  it('of the first set are the same to nodes and to who reads the genesis alone, and it is no larger than a set may be', () => {
    fc.assert(
      fc.property(genesis, (document) => {
        const bytes = genesisCodec.encode(document)
        const set = foundingSet(readGenesis(bytes).operators)
        assert.deepEqual(set, genesisState(document, cidOf(bytes)).validators)
        assert.isAtMost(set.length, 64)
      }),
      { numRuns: 20 },
    )
  })

  it('of one operator add up to its weight in parts, whatever their number; all of them to less than 2³³', () => {
    const keys = Array.from({ length: 16 }, (_, i) => testKey(i).key)
    for (let n = 1; n <= 16; n++) {
      const set = powersOf([
        { weight: 3, validators: keys.slice(0, n) },
        { weight: 5, validators: [] },
      ])
      assert.deepEqual(
        set.map(({ power }) => power),
        Array.from({ length: n }, () => (3 * 720_720) / n),
      )
    }
    for (const weight of [1, 4095, 2 ** 31]) {
      const set = powersOf([0, 1, 2, 3].map((i) => ({ weight: i === 0 ? weight : 1, validators: [keys[i]!] })))
      assert.isBelow(
        set.reduce((sum, { power }) => sum + power, 0),
        2 ** 33,
      )
    }
  })

  it('leave out who has no whole part of them', () => {
    const keys = [0, 1, 2].map((i) => testKey(i).key)
    const set = powersOf([
      { weight: 2 ** 32, validators: [keys[0]!] },
      { weight: 1, validators: [keys[1]!, keys[2]!] },
    ])
    assert.deepEqual(set, [{ key: keys[0]!, power: 2 ** 32 }])
  })
})
