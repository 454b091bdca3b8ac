import { expect } from 'chai'
import { Uint8ArrayList } from 'uint8arraylist'
import * as varint from 'uint8-varint'
import { FrameBytes } from '../../../protocols/shared/frame-bytes.ts'
import { heldBytes } from '../../helpers/held-bytes.ts'
import { codeThrown } from '../../helpers/content-node.ts'

const MAX = 2_097_152

/** Bytes that are not all the same, so that a piece in a wrong place is seen. */
function body(length: number): Uint8Array {
  return Uint8Array.from({ length }, (_, i) => (i * 31) % 251)
}

function framed(bytes: Uint8Array): Uint8Array {
  return new Uint8ArrayList(varint.encode(bytes.byteLength), bytes).subarray()
}

describe('the bytes of frames', () => {
  it('cost no more than they are, and come out whole, where each comes by itself', () => {
    const frame = body(1_500_000)
    const all = framed(frame)
    const bytes = new FrameBytes()
    const before = heldBytes()
    for (let i = 0; i < all.byteLength - 1; i++) {
      bytes.append(all.subarray(i, i + 1))
      if (bytes.take(MAX) !== undefined) throw new Error('a frame that has not wholly come')
    }
    expect(heldBytes() - before).to.be.below(2 * all.byteLength)
    bytes.append(all.subarray(-1))
    expect(Buffer.from(bytes.take(MAX)!).equals(frame)).to.equal(true)
    expect(bytes.byteLength).to.equal(0)
  })

  it('are cut where frames end, whatever the pieces are', () => {
    const frames = [0, 1, 127, 128, 4_095, 4_096, 4_097, 70_000, 3, 16_384].map(body)
    const all = new Uint8ArrayList(...frames.map(framed)).subarray()
    for (const size of [1, 2, 3, 4_095, 4_096, 5_000, 65_536, all.byteLength]) {
      const bytes = new FrameBytes()
      const taken: Uint8Array[] = []
      for (let from = 0; from < all.byteLength; from += size) {
        bytes.append(new Uint8ArrayList(all.subarray(from, from + 1), all.subarray(from + 1, from + size)))
        for (let frame = bytes.take(MAX); frame !== undefined; frame = bytes.take(MAX)) taken.push(frame)
      }
      expect(taken, `pieces of ${size}`).to.deep.equal(frames)
      expect(bytes.byteLength).to.equal(0)
    }
  })

  it('are those of nobody else: a frame that was taken stays as it was', () => {
    const bytes = new FrameBytes()
    bytes.append(framed(body(10)))
    const frame = bytes.take(MAX)!
    bytes.append(framed(new Uint8Array(10).fill(255)))
    bytes.take(MAX)
    expect(frame).to.deep.equal(body(10))
  })

  it('are refused for a length over the limit before any of the frame has come', async () => {
    const long = new FrameBytes()
    long.append(Uint8Array.from(varint.encode(MAX + 1)))
    expect(await codeThrown(async () => long.take(MAX))).to.equal('E_FRAME_TOO_LARGE')
    const endless = new FrameBytes()
    for (let i = 0; i < 3; i++) {
      endless.append(Uint8Array.of(0x80))
      expect(endless.take(MAX)).to.equal(undefined)
    }
    endless.append(Uint8Array.of(0x80))
    expect(await codeThrown(async () => endless.take(MAX))).to.equal('E_FRAME_TOO_LARGE')
  })
})
