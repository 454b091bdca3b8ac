import { encode } from '@ipld/dag-cbor'
import { expect } from 'chai'
import * as fc from 'fast-check'
import { decodeNode, encodeNode, type NodeBlock } from '../../../consensus/state/tree-block.ts'
import { cidOfDigest } from '../../../consensus/state/tree-node.ts'

const key = fc.string({ unit: fc.constantFrom('a', '/', '0', '~'), minLength: 1, maxLength: 640, size: 'max' })
const value = fc.uint8Array({ maxLength: 300, size: 'max' })
const link = fc.option(fc.uint8Array({ minLength: 32, maxLength: 32 }))
const node: fc.Arbitrary<NodeBlock> = fc.record({
  layer: fc.nat(64),
  keys: fc.array(key, { maxLength: 300 }),
  values: fc.array(value, { maxLength: 300 }),
  links: fc.array(link, { maxLength: 300 }),
})

const plain = ({ layer, keys, values, links }: NodeBlock) => ({
  layer,
  keys,
  values: values.map((value) => Uint8Array.from(value)),
  links: links.map((link) => link && Uint8Array.from(link)),
})

describe('the block of a node of the state tree', function () {
  this.timeout(60_000)

  it('is the dag-cbor of layer, keys, values and links, and gives them back', () => {
    fc.assert(
      fc.property(node, (node) => {
        const { layer, keys, values, links } = node
        const block = encodeNode(node)
        const cids = links.map((link) => link && cidOfDigest(link))
        expect(Buffer.compare(block, encode([layer, keys, values, cids]))).to.equal(0)
        expect(plain(decodeNode(block))).to.deep.equal(plain(node))
      }),
      { numRuns: 300 },
    )
  })

  it('of 70 000 bytes in one value is that of dag-cbor too', () => {
    const node = { layer: 0, keys: ['a'], values: [new Uint8Array(70_000)], links: [] }
    expect(Buffer.compare(encodeNode(node), encode([0, ['a'], node.values, []]))).to.equal(0)
    expect(plain(decodeNode(encodeNode(node)))).to.deep.equal(plain(node))
  })

  it('has one form: bytes that are another, or none, are refused by a RangeError', () => {
    const small = fc.record({
      layer: fc.nat(30),
      keys: fc.array(fc.constantFrom('a', 'key/with/a/length/of/more/than/24'), { maxLength: 3 }),
      values: fc.array(fc.uint8Array({ maxLength: 30 }), { maxLength: 3 }),
      links: fc.array(link, { maxLength: 3 }),
    })
    const change = fc.record({ at: fc.nat(), byte: fc.nat(255), cut: fc.nat(3), more: fc.uint8Array({ maxLength: 2 }) })
    let taken = 0
    fc.assert(
      fc.property(small, change, (node, { at, byte, cut, more }) => {
        const block = encodeNode(node)
        const changed = Uint8Array.from([
          ...block.with(at % block.length, byte).subarray(0, block.length - cut),
          ...more,
        ])
        try {
          expect(Buffer.compare(encodeNode(decodeNode(changed)), changed)).to.equal(0)
          taken++
        } catch (error) {
          expect(error).to.be.instanceOf(RangeError)
        }
      }),
      { numRuns: 20_000 },
    )
    expect(taken).to.be.greaterThan(100)
  })
})
