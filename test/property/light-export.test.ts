import { assert } from 'chai'
import { buildExport } from '../../consensus/light/build-export.ts'
import { MAX_EXPORT_BYTES } from '../../consensus/light/file.ts'
import { verifyExport } from '../../consensus/light/verify-export.ts'
import { CodedError } from '../../protocols/shared/errors.ts'
import { verifyBytes } from '../../protocols/shared/signature.ts'
import { assertRefused } from '../helpers/refused.ts'
import { CREATED, LightChain } from '../helpers/light-chain.ts'

const MUTATIONS = 10_000
const now = CREATED + 3_600_000

describe('a file of an epoch that was changed on its way', () => {
  const chain = new LightChain((height) => (height < 5 ? [0, 1, 2, 3] : [4, 5, 6, 7]), 9)
  const trusts = {
    genesis: { mesh: chain.mesh, now, verify: verifyBytes },
    checkpoint: { checkpoint: { height: 4, cid: chain.epochs[3]!.cid }, now, verify: verifyBytes },
  }
  let file: Uint8Array
  before(async () => {
    file = await buildExport(chain, 9)
  })

  for (const [name, trust] of Object.entries(trusts)) {
    it(`is refused with a code each time, or says the same: ${MUTATIONS} changes, by the ${name}`, () => {
      const { header, path } = verifyExport(file, trust)
      const next = generator(7)
      let accepted = 0
      for (let i = 0; i < MUTATIONS; i++) {
        const changed = mutated(file, next)
        try {
          const verified = verifyExport(changed, trust)
          assert.deepEqual([verified.header, verified.path], [header, path])
          accepted++
        } catch (error) {
          assert.instanceOf(error, CodedError, `change ${i}: ${String(error)}`)
          assert.match((error as CodedError).code, /^E_LIGHT_/)
        }
      }
      // What lies before a checkpoint is not asked; from the genesis on every byte counts.
      if (name === 'genesis') assert.equal(accepted, 0)
      else assert.isBelow(accepted, MUTATIONS / 2)
    })
  }

  it('is refused at every length that it is cut to', () => {
    for (let length = 0; length < file.length; length++) {
      assertRefused(() => verifyExport(file.subarray(0, length), trusts.genesis), 'E_LIGHT_FILE')
    }
  })

  it('is refused when it is longer than a file may be, before it is read', () => {
    const long = new Uint8Array(MAX_EXPORT_BYTES + 1)
    assertRefused(() => verifyExport(long, trusts.genesis), 'E_LIGHT_FILE', /the limit is 16777216/)
  })

  it('is refused when it is a heap of small values, however many fit', () => {
    const heap = new Uint8Array(MAX_EXPORT_BYTES)
    heap.set([0x9a, 0x00, 0xff, 0xff, 0xfb])
    assertRefused(() => verifyExport(heap, trusts.genesis), 'E_LIGHT_FILE', /too many values/)
  })
})

/** One to three bytes changed, a piece left out, doubled or swapped for another. */
function mutated(file: Uint8Array, next: (below: number) => number): Uint8Array {
  const [from, length] = [next(file.length), 1 + next(64)]
  const kind = next(4)
  if (kind === 0) return Buffer.concat([file.subarray(0, from), file.subarray(from + length)])
  if (kind === 1) return Buffer.concat([file.subarray(0, from + length), file.subarray(from)])
  const copy = file.slice()
  if (kind === 2) {
    for (let i = next(3); i >= 0; i--) copy[next(file.length)]! ^= 1 + next(255)
    return equal(copy, file) ? mutated(file, next) : copy
  }
  const to = next(file.length)
  copy.set(file.subarray(from, Math.min(from + length, from + file.length - to)), to)
  return equal(copy, file) ? mutated(file, next) : copy
}

function equal(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.compare(a, b) === 0
}

/** Linear congruential, so that a failure comes again. */
function generator(seed: number): (below: number) => number {
  let state = seed
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return Math.floor((state / 2 ** 32) * below)
  }
}
