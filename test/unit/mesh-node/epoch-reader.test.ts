import { expect } from 'chai'
import { EpochReader, type EpochReaderInit } from '../../../node/mesh/epoch-reader.ts'

describe('an export of the record', () => {
  it('whose way is to begin after the epoch itself is refused, and not blamed on what is kept', async () => {
    const final = { block: { header: { height: 4 } } }
    const record = { final: async () => final, state: { height: 4 } }
    const reader = new EpochReader({ record } as unknown as EpochReaderInit)
    const error = await reader.export(4, 5).catch((thrown: unknown) => thrown)
    expect(error).to.include({
      code: 'E_INVALID_INPUT',
      message: 'the way to epoch 4 cannot begin at epoch 5, after it',
    })
  })
})
