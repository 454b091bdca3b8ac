import { assert } from 'chai'
import { genesisState } from '../../../consensus/epoch/genesis-state.ts'
import { STATE_EVERY } from '../../../node/mesh/chain.ts'
import type { StoredEpoch } from '../../../node/mesh/chain-head.ts'
import { stateBefore } from '../../../node/mesh/state-before.ts'
import { genesisOf, TestRecord } from './record.ts'

describe('the state before an exported epoch', () => {
  const record = new TestRecord()
  while (record.state.height < 6) record.advance()
  const genesis = genesisState(genesisOf(record), record.mesh)
  /** A store that keeps the states after these heights, and all epochs but one. */
  const storeOf = (states: readonly number[], lacks?: number) => ({
    stateAt: async (height: number) => (states.includes(height) ? record.stateBefore(height + 1) : undefined),
    epoch: async (height: number) =>
      height === lacks ? undefined : ((await record.epoch(height)) as StoredEpoch | undefined),
  })

  it('is worked out from the genesis and the epochs between, or taken where it is kept', async () => {
    for (let height = 1; height <= 6; height++) {
      assert.deepEqual(await stateBefore(storeOf([]), genesis, height), await record.stateBefore(height))
    }
    assert.deepEqual(await stateBefore(storeOf([5], 3), genesis, 6), await record.stateBefore(6))
  })

  it('is not there when an epoch between, or the state they follow from, is not kept', async () => {
    assert.isUndefined(await stateBefore(storeOf([], 3), genesis, 6))
    assert.isUndefined(await stateBefore(storeOf([]), genesis, STATE_EVERY + 2))
  })
})
