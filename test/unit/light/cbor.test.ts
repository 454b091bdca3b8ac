import { encode as encodeElsewhere } from '@ipld/dag-cbor'
import { expect } from 'chai'
import { decode, encode } from '../../../consensus/light/cbor.ts'

const VALUE = { a: 1, b: [-70_000, 1.5, true, null], c: 'text', d: new Uint8Array(300), e: 2 ** 40 }

describe('light: dag-cbor', () => {
  it('is what the rest of the mesh writes, and comes back byte for byte', () => {
    const bytes = encodeElsewhere(VALUE)
    expect(encode(decode(bytes, 100))).to.deep.equal(bytes)
  })

  it('says of each cut that the bytes end too early', () => {
    const bytes = encodeElsewhere(VALUE)
    for (let length = 0; length < bytes.length; length++) {
      expect(() => decode(bytes.subarray(0, length), 100), `${length}`).to.throw(RangeError, /end too early|too many/)
    }
    expect(() => decode(new Uint8Array(), 100)).to.throw('the bytes end too early')
  })
})
