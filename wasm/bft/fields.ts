const HIGH = 2 ** 32
/** Rounds are below: as signed numbers they have room for `none`. */
const MAX_ROUND = 2 ** 31 - 1

/** Fields of a message, big-endian, as `crates/bft/src/message.rs` reads them. */
export class FieldWriter {
  readonly #bytes: Uint8Array<ArrayBuffer>
  readonly #view: DataView
  #at = 0

  constructor(capacity: number) {
    this.#bytes = new Uint8Array(capacity)
    this.#view = new DataView(this.#bytes.buffer)
  }

  byte(value: number): this {
    this.#view.setUint8(this.#at++, value)
    return this
  }

  u32(value: number): this {
    this.#view.setUint32(this.#at, value)
    this.#at += 4
    return this
  }

  /** @throws {RangeError} for what is no height or round */
  place({ height, round }: { readonly height: number; readonly round: number }): this {
    if (!Number.isSafeInteger(height) || height < 0) throw new RangeError(`${height} is no height`)
    if (!Number.isInteger(round) || round < 0 || round >= MAX_ROUND) throw new RangeError(`${round} is no round`)
    return this.u32(Math.floor(height / HIGH))
      .u32(height % HIGH)
      .u32(round)
  }

  /** @throws {RangeError} when they are not so many */
  raw(value: Uint8Array, length: number): this {
    if (value.length !== length) throw new RangeError(`${value.length} bytes where ${length} must be`)
    this.#bytes.set(value, this.#at)
    this.#at += length
    return this
  }

  end(): Uint8Array {
    return this.#bytes.slice(0, this.#at)
  }
}

/** Every method throws a RangeError where the bytes end early or hold what is out of range. */
export class FieldReader {
  readonly #bytes: Uint8Array
  readonly #view: DataView
  #at = 0

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  }

  byte(): number {
    return this.#view.getUint8(this.#at++)
  }

  /** One of several words, numbered from `first`. */
  oneOf<T>(words: readonly T[], first = 1): T {
    const word = words[this.byte() - first]
    if (word === undefined) throw new RangeError('an unknown kind')
    return word
  }

  u32(): number {
    const value = this.#view.getUint32(this.#at)
    this.#at += 4
    return value
  }

  i32(): number {
    return this.u32() | 0
  }

  place(): { height: number; round: number } {
    const height = this.u32() * HIGH + this.u32()
    const round = this.u32()
    if (!Number.isSafeInteger(height) || round >= MAX_ROUND) throw new RangeError('no height or round')
    return { height, round }
  }

  raw(length: number): Uint8Array {
    if (this.#at + length > this.#bytes.length) throw new RangeError('it ends early')
    return this.#bytes.slice(this.#at, (this.#at += length))
  }

  option<T>(read: (reader: this) => T): T | undefined {
    return this.oneOf([false, true], 0) ? read(this) : undefined
  }

  list<T>(limit: number, read: (reader: this) => T): T[] {
    const count = this.byte()
    if (count > limit) throw new RangeError(`${count} of at most ${limit}`)
    return Array.from({ length: count }, () => read(this))
  }

  end(): void {
    if (this.#at !== this.#bytes.length) throw new RangeError('more than there should be')
  }
}
