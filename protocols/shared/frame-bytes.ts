import { Uint8ArrayList } from 'uint8arraylist'
import * as varint from 'uint8-varint'
import { CodedError } from './errors.ts'

/** A length prefix longer than this is hostile: 4 bytes of varint reach 256 MiB. */
export const MAX_PREFIX_BYTES = 4
/** Smaller pieces are copied together, into buffers of this size. */
const PIECE_BYTES = 4_096

/**
 * What has come of a stream and is not cut into frames yet.
 *
 * The sender decides how small the pieces are. One byte kept by itself costs a hundred, and a list of 160 000 pieces, one
 * frame of which is taken, stops this process for a minute (`Uint8ArrayList.consume` shifts them one by one).
 */
export class FrameBytes {
  readonly #list = new Uint8ArrayList()
  /** of the small pieces: what is not in the list yet is `#from` to `#to` */
  #small = new Uint8Array(0)
  #from = 0
  #to = 0
  /** bytes without which there is nothing to look at: then small pieces are left as they are */
  #needed = 1

  get byteLength(): number {
    return this.#list.byteLength + this.#to - this.#from
  }

  append(data: Uint8Array | Uint8ArrayList): void {
    if (data instanceof Uint8Array) this.#append(data)
    else for (const piece of data) this.#append(piece)
  }

  /** Cuts one frame off the front, or nothing when it has not wholly arrived. @throws {CodedError} E_FRAME_TOO_LARGE */
  take(maxFrameBytes: number): Uint8Array | undefined {
    if (this.byteLength < this.#needed) return undefined
    this.#flush()
    const prefix = this.#list.subarray(0, Math.min(MAX_PREFIX_BYTES, this.#list.byteLength))
    const end = prefix.findIndex((byte) => byte < 0x80)
    if (end < 0) {
      if (prefix.byteLength === MAX_PREFIX_BYTES)
        throw new CodedError('E_FRAME_TOO_LARGE', 'a length prefix over 4 bytes')
      this.#needed = prefix.byteLength + 1
      return undefined
    }
    const length = varint.decode(prefix)
    if (length > maxFrameBytes)
      throw new CodedError('E_FRAME_TOO_LARGE', `${length} bytes, the limit is ${maxFrameBytes}`)
    const start = end + 1
    this.#needed = start + length
    if (this.#list.byteLength < this.#needed) return undefined
    const frame = this.#list.slice(start, this.#needed)
    this.#list.consume(this.#needed)
    this.#needed = 1
    return frame
  }

  #append(piece: Uint8Array): void {
    if (piece.byteLength >= PIECE_BYTES) {
      this.#flush()
      this.#list.append(piece)
      return
    }
    if (this.#to + piece.byteLength > this.#small.byteLength) {
      this.#flush()
      this.#small = new Uint8Array(PIECE_BYTES)
      this.#from = this.#to = 0
    }
    this.#small.set(piece, this.#to)
    this.#to += piece.byteLength
  }

  #flush(): void {
    if (this.#to > this.#from) this.#list.append(this.#small.subarray(this.#from, this.#to))
    this.#from = this.#to
  }
}
