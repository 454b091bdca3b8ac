import { expect } from 'chai'
import * as fc from 'fast-check'
import { codeOf } from '../../../protocols/shared/errors.ts'
import { epochSamples } from '../../unit/epoch/samples.ts'

const MUTATIONS = 5_000
const CODES = ['E_FRAME_TOO_LARGE', 'E_FRAME_MALFORMED', 'E_FRAME_SCHEMA']

const edit = fc.record({
  kind: fc.constantFrom('flip', 'cut', 'insert', 'head'),
  at: fc.nat(),
  value: fc.integer({ min: 1, max: 255 }),
})

function mutated(sample: Uint8Array, edits: { kind: string; at: number; value: number }[]): Uint8Array {
  const bytes = [...sample]
  for (const { kind, at, value } of edits) {
    const index = bytes.length === 0 ? 0 : at % bytes.length
    if (kind === 'flip') bytes[index] = (bytes[index] ?? 0) ^ value
    else if (kind === 'cut') bytes.splice(index, value)
    else if (kind === 'insert') bytes.splice(index, 0, value)
    // A head that announces more than there is.
    else bytes.splice(index, 0, value | 0x1b, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff)
  }
  return Uint8Array.from(bytes)
}

describe('epoch: codecs, mutated', function () {
  this.timeout(240_000)

  for (const [name, { codec, value }] of Object.entries(epochSamples())) {
    it(`${name}: ${MUTATIONS} mutations give the one form of a value, or a coded refusal`, () => {
      const sample = codec.encode(value as never)
      fc.assert(
        fc.property(fc.array(edit, { minLength: 1, maxLength: 4 }), (edits) => {
          const bytes = mutated(sample, edits)
          let decoded: unknown
          try {
            decoded = codec.decode(bytes)
          } catch (error) {
            expect(CODES).to.include(codeOf(error))
            return
          }
          expect(codec.encode(decoded as never)).to.deep.equal(bytes)
        }),
        { numRuns: MUTATIONS },
      )
    })
  }
})
