const HIGH = 2 ** 32

/** Makes room for so many bytes, in which what was written stays. @returns the memory, and where in it the room is */
export type Grow = (least: number) => { readonly bytes: Uint8Array; readonly at: number; readonly capacity: number }

/** Little-endian fields in a fixed order, as `crates/wire` reads them. */
export class ByteWriter {
  #bytes: Uint8Array
  #view: DataView
  #from: number
  #at: number
  #end: number
  readonly #grow: Grow

  constructor(capacity: number, grow?: Grow) {
    this.#grow = grow ?? ((least) => this.#enlarged(least))
    this.#bytes = new Uint8Array(0)
    this.#view = new DataView(this.#bytes.buffer)
    this.#from = this.#at = this.#end = 0
    this.#room(capacity)
  }

  byte(value: number): this {
    this.#room(1)
    this.#bytes[this.#at++] = value
    return this
  }

  /** A whole number under 2^53, in eight bytes. */
  whole(value: number): this {
    if (!Number.isSafeInteger(value) || value < 0) throw new RangeError(`${value} is no whole number under 2^53`)
    this.#room(8)
    this.#view.setUint32(this.#at, value % HIGH, true)
    this.#view.setUint32(this.#at + 4, Math.floor(value / HIGH), true)
    this.#at += 8
    return this
  }

  bytes(value: Uint8Array): this {
    this.#count(value.length)
    this.#room(value.length)
    this.#bytes.set(value, this.#at)
    this.#at += value.length
    return this
  }

  list<T>(items: readonly T[], write: (writer: this, item: T) => void): this {
    this.#count(items.length)
    for (const item of items) write(this, item)
    return this
  }

  /** What was written, until the next {@link begin}. */
  end(): Uint8Array {
    return this.#bytes.subarray(this.#from, this.#at)
  }

  get length(): number {
    return this.#at - this.#from
  }

  /** Begins anew in the same memory. */
  begin(): this {
    this.#at = this.#from
    // The memory of an instance grows, and its old view is empty then.
    if (this.#bytes.byteLength === 0) this.#move(this.#end - this.#from)
    return this
  }

  #count(value: number): void {
    this.#room(4)
    this.#view.setUint32(this.#at, value, true)
    this.#at += 4
  }

  #room(more: number): void {
    if (this.#at + more > this.#end) this.#move(this.length + more)
  }

  #move(least: number): void {
    const length = this.length
    const { bytes, at, capacity } = this.#grow(least)
    if (bytes !== this.#bytes) this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    this.#bytes = bytes
    this.#from = at
    this.#at = at + length
    this.#end = at + capacity
  }

  #enlarged(least: number): ReturnType<Grow> {
    const capacity = Math.max(2 * (this.#end - this.#from), least)
    const bytes = new Uint8Array(capacity)
    bytes.set(this.end())
    return { bytes, at: 0, capacity }
  }
}

/** Reads what the engine wrote. */
export class ByteReader {
  #bytes = new Uint8Array(0)
  #view = new DataView(this.#bytes.buffer)
  #at = 0

  /** Reads from a place in memory; the fields are copies of what is there. */
  begin(bytes: Uint8Array<ArrayBuffer>, at: number): this {
    if (bytes !== this.#bytes) {
      this.#bytes = bytes
      this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    }
    this.#at = at
    return this
  }

  byte(): number {
    return this.#bytes[this.#at++]!
  }

  whole(): number {
    const value = this.#view.getUint32(this.#at, true) + this.#view.getUint32(this.#at + 4, true) * HIGH
    this.#at += 8
    return value
  }

  bytes(): Uint8Array {
    const length = this.count()
    return this.#bytes.slice(this.#at, (this.#at += length))
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
