import { expect } from 'chai'
import * as fc from 'fast-check'
import { queryCodecs } from '../../../protocols/query/index.ts'
import { frameCodec, requestCodec } from '../../../protocols/query/codec.ts'
import { codeThrown } from '../../helpers/content-node.ts'

const decodeCode = (codec: { decode(bytes: Uint8Array): unknown }, bytes: Uint8Array): Promise<string> =>
  codeThrown(async () => codec.decode(bytes))

describe('query codecs', () => {
  it('give back any JSON row', () => {
    fc.assert(
      fc.property(fc.json({ maxDepth: 6 }), (text) => {
        // A key that no document of ours has: who sends it sets a prototype and loses the field.
        fc.pre(!text.includes('__proto__'))
        // -0 is 0 in JSON documents and in dag-cbor.
        const row = JSON.parse(text.replaceAll(/(?<![\d.e+])-0(?![\d.])/g, '0'))
        const frame = { type: 'row' as const, row }
        expect(frameCodec.decode(frameCodec.encode(frame))).to.deep.equal(frame)
      }),
    )
  })

  it('refuse a row over 64 KiB on both sides', async () => {
    const row = 'x'.repeat(65_536)
    expect(await codeThrown(async () => frameCodec.encode({ type: 'row', row }))).to.equal('E_FRAME_TOO_LARGE')
    expect(await decodeCode(frameCodec, new Uint8Array(65_537))).to.equal('E_FRAME_TOO_LARGE')
  })

  it('refuse a row that is not JSON', async () => {
    const bytes = frameCodec.encode({ type: 'row', row: new Uint8Array(3) as unknown as string })
    expect(await decodeCode(frameCodec, bytes)).to.equal('E_FRAME_SCHEMA')
  })

  it('refuse a request with unknown keys, a strange topic or too many parameters', async () => {
    const params = Object.fromEntries(Array.from({ length: 17 }, (_, i) => [`p${i}`, i]))
    for (const bad of [
      { what: 'status', params: {}, extra: 1 },
      { what: '../status', params: {} },
      { what: 'status', params },
      { what: 'status', params: { nested: { a: 1 } } },
    ]) {
      const bytes = requestCodec.encode(bad as never)
      expect(await decodeCode(requestCodec, bytes), JSON.stringify(bad)).to.equal('E_FRAME_SCHEMA')
    }
  })

  it('throw nothing but coded errors for arbitrary bytes', () => {
    for (const codec of queryCodecs) {
      fc.assert(
        fc.property(fc.uint8Array({ maxLength: 512 }), (bytes) => {
          try {
            codec.decode(bytes)
          } catch (error) {
            expect(error).to.have.property('name', 'CodedError')
          }
        }),
        { numRuns: 1000 },
      )
    }
  })
})
