import { expect } from 'chai'
import { Assembly } from '../../../protocols/bft/assembly.ts'
import type { BftPart } from '../../../protocols/bft/codec.ts'
import { MAX_ASSEMBLIES, MAX_BLOCK_BYTES, PART_BYTES } from '../../../protocols/bft/constants.ts'
import { blockParts } from '../../../protocols/bft/envelopes.ts'

const value = (mark: number): Uint8Array => new Uint8Array(36).fill(mark)
const bytesOf = (size: number): Uint8Array => Uint8Array.from({ length: size }, (_, i) => i % 251)
const partsOf = (size: number, mark = 1, height = 5): BftPart[] =>
  blockParts(height, 0, { value: value(mark), bytes: bytesOf(size) }).map(({ frame }) => frame as BftPart)

describe('parts of blocks', () => {
  let assembly: Assembly
  beforeEach(() => {
    assembly = new Assembly()
  })
  const add = (part: BftPart, peer = 'a'): unknown => assembly.add(peer, part, 5)

  it('are put together again, in whatever order they come', () => {
    for (const size of [1, PART_BYTES, PART_BYTES + 1, MAX_BLOCK_BYTES]) {
      const parts = partsOf(size, size % 200).reverse()
      const results = parts.map((part) => add(part))
      expect(results.pop()).to.deep.equal(bytesOf(size))
      expect(results.every((result) => result === undefined)).to.equal(true)
      expect(assembly.byteLength).to.equal(0)
    }
  })

  it('of too large a block are none', () => {
    expect(() => partsOf(MAX_BLOCK_BYTES + 1)).to.throw('the limit is')
    expect(() => partsOf(0)).to.throw('a block of 0 bytes')
  })

  it('of another height than the running one and the next are not kept', () => {
    for (const [height, isTaken] of [
      [4, false],
      [5, true],
      [6, true],
      [7, false],
    ] as const) {
      const [part] = partsOf(PART_BYTES + 1, height, height)
      expect(add(part!)).to.deep.equal(isTaken ? undefined : { kind: 'ignore', code: 'E_BFT_FAR' })
    }
    expect(assembly.byteLength).to.equal(2 * PART_BYTES)
  })

  it('that contradict each other are held against their sender; twice the same is not', () => {
    const [first] = partsOf(3 * PART_BYTES)
    add(first!)
    expect(add(first!)).to.deep.equal({ kind: 'ignore', code: 'E_BFT_DUPLICATE' })
    expect(add({ ...first!, index: 1, total: 4 })).to.deep.equal({ kind: 'reject', code: 'E_BFT_PART' })
    expect(add({ ...first!, index: 1, height: 6 })).to.deep.equal({ kind: 'reject', code: 'E_BFT_PART' })
  })

  it('of four blocks of one peer are kept at most, the newest; other peers are not in the way', () => {
    for (let mark = 1; mark <= MAX_ASSEMBLIES + 1; mark++) add(partsOf(2 * PART_BYTES, mark)[0]!)
    expect(assembly.byteLength).to.equal(MAX_ASSEMBLIES * PART_BYTES)
    expect(add(partsOf(2 * PART_BYTES, 1)[1]!), 'its beginning was dropped').to.equal(undefined)
    expect(add(partsOf(2 * PART_BYTES, 5)[1]!)).to.deep.equal(bytesOf(2 * PART_BYTES))
    add(partsOf(2 * PART_BYTES, 9)[0]!, 'b')
    expect(add(partsOf(2 * PART_BYTES, 9)[1]!, 'b')).to.deep.equal(bytesOf(2 * PART_BYTES))
  })

  it('of a block that is here are dropped, until it is asked for', () => {
    const parts = partsOf(2 * PART_BYTES)
    add(parts[0]!, 'b')
    assembly.completed(5, value(1))
    expect(assembly.byteLength).to.equal(0)
    expect(add(parts[0]!)).to.deep.equal({ kind: 'ignore', code: 'E_BFT_DUPLICATE' })
    assembly.wanted(value(1))
    add(parts[0]!)
    expect(add(parts[1]!)).to.deep.equal(bytesOf(2 * PART_BYTES))
  })

  it('of heights that are over are let go', () => {
    add(partsOf(2 * PART_BYTES)[0]!)
    assembly.reached(6)
    expect(assembly.byteLength).to.equal(0)
  })

  it('do not keep the frame alive that they came in', () => {
    const frame = new Uint8Array(10 * PART_BYTES)
    const [part] = partsOf(2 * PART_BYTES)
    add({ ...part!, bytes: frame.subarray(0, PART_BYTES) })
    frame.fill(9)
    const whole = add(partsOf(2 * PART_BYTES)[1]!) as Uint8Array
    expect(whole.subarray(0, PART_BYTES).every((byte) => byte === 0)).to.equal(true)
  })
})
