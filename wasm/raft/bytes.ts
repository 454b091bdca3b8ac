const HIGH = 2 ** 32

/** Little-endian fields in a fixed order, as `crates/raft/src/wire.rs` reads them. */
export class ByteWriter {
  #bytes: Uint8Array
  #view: DataView
  #length = 0

  constructor(capacity: number) {
    this.#bytes = new Uint8Array(capacity)
    this.#view = new DataView(this.#bytes.buffer)
  }

  byte(value: number): this {
    this.#room(1)
    this.#bytes[this.#length++] = value
    return this
  }

  /** A whole number under 2^53, in eight bytes. */
  whole(value: number): this {
    if (!Number.isSafeInteger(value) || value < 0) throw new RangeError(`${value} is no whole number under 2^53`)
    this.#room(8)
    this.#view.setUint32(this.#length, value % HIGH, true)
    this.#view.setUint32(this.#length + 4, Math.floor(value / HIGH), true)
    this.#length += 8
    return this
  }

  bytes(value: Uint8Array): this {
    this.#count(value.length)
    this.#room(value.length)
    this.#bytes.set(value, this.#length)
    this.#length += value.length
    return this
  }

  list<T>(items: readonly T[], write: (writer: this, item: T) => void): this {
    this.#count(items.length)
    for (const item of items) write(this, item)
    return this
  }

  /** What was written, until the next {@link begin}. */
  end(): Uint8Array {
    return this.#bytes.subarray(0, this.#length)
  }

  /** Begins anew in the same memory. */
  begin(): this {
    this.#length = 0
    return this
  }

  #count(value: number): void {
    this.#room(4)
    this.#view.setUint32(this.#length, value, true)
    this.#length += 4
  }

  #room(more: number): void {
    if (this.#length + more <= this.#bytes.length) return
    const grown = new Uint8Array(Math.max(2 * this.#bytes.length, this.#length + more))
    grown.set(this.#bytes)
    this.#bytes = grown
    this.#view = new DataView(grown.buffer)
  }
}

/** Reads what the engine wrote; the bytes of a field are a view of the whole. */
export class ByteReader {
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

  whole(): number {
    const value = this.#view.getUint32(this.#at, true) + this.#view.getUint32(this.#at + 4, true) * HIGH
    this.#at += 8
    return value
  }

  bytes(): Uint8Array {
    const length = this.count()
    return this.#bytes.subarray(this.#at, (this.#at += length))
  }

  list<T>(read: (reader: this) => T): T[] {
    const count = this.count()
    const items: T[] = []
    for (let n = 0; n < count; n++) items.push(read(this))
    return items
  }

  option<T>(read: (reader: this) => T): T | undefined {
    return this.byte() === 1 ? read(this) : undefined
  }

  /** Of the items of a list, which follow. */
  count(): number {
    const value = this.#view.getUint32(this.#at, true)
    this.#at += 4
    return value
  }
}
