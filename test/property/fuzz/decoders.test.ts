import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { encode } from '@ipld/dag-cbor'
import { expect } from 'chai'
import * as fc from 'fast-check'
import { CID } from 'multiformats/cid'
import { formatTicket, parseGenesis, parseTicket } from '../../../protocols/admission/index.ts'
import { DECODERS } from '../../../protocols/decoders.ts'
import { CodedError } from '../../../protocols/shared/errors.ts'
import { SAMPLES, TICKET } from './samples.ts'

const MUTATIONS = 100_000
const MAX_ALLOCATION_BYTES = 16 * 1024 * 1024
const ROOT = new URL('../../../protocols/', import.meta.url).pathname

/** One edit: what a careless or hostile sender does to a valid frame. */
const edit = fc.oneof(
  fc.record({ kind: fc.constant('flip'), at: fc.nat(), value: fc.integer({ min: 1, max: 255 }) }),
  fc.record({ kind: fc.constant('cut'), at: fc.nat(), value: fc.integer({ min: 1, max: 64 }) }),
  fc.record({ kind: fc.constant('insert'), at: fc.nat(), value: fc.integer({ min: 0, max: 255 }) }),
  fc.record({ kind: fc.constant('head'), at: fc.nat(), value: fc.constantFrom(0x9b, 0xbb, 0x5b, 0x7b, 0xdb, 0x9f) }),
)

type Edit = { kind: string; at: number; value: number }

function mutate(sample: Uint8Array, edits: Edit[]): Uint8Array {
  let bytes = [...sample]
  for (const { kind, at, value } of edits) {
    const index = bytes.length === 0 ? 0 : at % bytes.length
    if (kind === 'flip') bytes[index] = (bytes[index] ?? 0) ^ value
    else if (kind === 'cut') bytes.splice(index, value)
    else if (kind === 'insert') bytes.splice(index, 0, value)
    // A head that announces up to 2⁶⁴ items, bytes or a tag.
    else bytes.splice(index, 0, value, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff)
  }
  return Uint8Array.from(bytes)
}

/** @returns the error if it is anything but a coded refusal */
function uncoded(run: () => unknown): unknown {
  try {
    run()
    return undefined
  } catch (error) {
    return error instanceof CodedError ? undefined : error
  }
}

describe('decoders of what peers send', function () {
  this.timeout(240_000)

  it('are all listed in the registry', () => {
    const files = readdirSync(ROOT, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.ts'))
    const defined = files
      .filter((file) => file !== join('shared', 'codec.ts'))
      .flatMap((file) => [...readFileSync(join(ROOT, file), 'utf8').matchAll(/defineCodec(?:<[^(]*>)?\(\s*'([^']+)'/g)])
      .map((match) => match[1])
    expect(DECODERS.map(({ name }) => name).sort()).to.deep.equal(defined.sort())
  })

  it('each have a valid sample that decodes', () => {
    for (const decoder of DECODERS) {
      const sample = SAMPLES[decoder.name]
      expect(sample, `a sample of ${decoder.name}`).to.not.equal(undefined)
      expect(uncoded(() => decoder.decode(sample!))).to.equal(undefined)
      expect(() => decoder.decode(sample!)).to.not.throw()
    }
  })

  for (const decoder of DECODERS) {
    it(`${decoder.name}: ${MUTATIONS} mutations give a value or a coded refusal, and no large allocation`, () => {
      const sample = SAMPLES[decoder.name]!
      let runs = 0
      let before = process.memoryUsage().arrayBuffers
      fc.assert(
        fc.property(fc.array(edit, { minLength: 1, maxLength: 6 }), (edits) => {
          expect(uncoded(() => decoder.decode(mutate(sample, edits)))).to.equal(undefined)
          if (++runs % 1000 !== 0) return
          const now = process.memoryUsage().arrayBuffers
          expect(now - before).to.be.lessThan(MAX_ALLOCATION_BYTES)
          before = now
        }),
        { numRuns: MUTATIONS },
      )
    })

    it(`${decoder.name}: a frame over its limit is refused before it is decoded`, () => {
      expect(() => decoder.decode(new Uint8Array(decoder.maxBytes + 1)))
        .to.throw()
        .with.property('code', 'E_FRAME_TOO_LARGE')
    })
  }

  it('nesting deeper than any message has is refused, not recursed into', () => {
    const deep = new Uint8Array(60_000).fill(0x81)
    for (const decoder of DECODERS) {
      const bytes = deep.subarray(0, Math.min(deep.length, decoder.maxBytes))
      expect(() => decoder.decode(bytes))
        .to.throw()
        .with.property('code', 'E_FRAME_MALFORMED')
    }
  })

  it('values that the schema does not know are refused', () => {
    const cid = CID.parse('bafyreih6eqcvgphbctbil7y3ibekfhrbex4ko6ovbjwuofvcy47tnatyxq')
    for (const value of [null, [], {}, { a: cid }, 'text', 1.5, [[[]]], { __proto__: 1, constructor: 2 }]) {
      for (const decoder of DECODERS.filter(({ name }) => name !== 'certificate chain')) {
        // A frame of blocks begins with the length of its header: bytes without one are no frame at all.
        const code = decoder.name.startsWith('blocks ') ? /^E_FRAME_(SCHEMA|MALFORMED)$/ : /^E_FRAME_SCHEMA$/
        expect(() => decoder.decode(encode(value)), decoder.name)
          .to.throw()
          .with.property('code')
          .that.matches(code)
      }
    }
  })

  it(`tickets as text: ${MUTATIONS} mutations give a coded refusal, never another ticket`, () => {
    const text = formatTicket(TICKET)
    fc.assert(
      fc.property(fc.array(edit, { minLength: 1, maxLength: 4 }), (edits) => {
        const changed = Buffer.from(mutate(Buffer.from(text), edits)).toString('latin1')
        expect(uncoded(() => parseTicket(changed))).to.equal(undefined)
      }),
      { numRuns: MUTATIONS },
    )
  })

  it('a genesis file of any JSON gives a coded refusal', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        expect(uncoded(() => parseGenesis(value))).to.equal(undefined)
      }),
      { numRuns: 10_000 },
    )
  })
})
