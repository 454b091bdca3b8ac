const KEPT = 400

/** A running hash of all that happens, and the last lines of it; two runs are the same when their hashes are. */
export class Trace {
  #low = 0x811c9dc5
  #high = 0x1b873593
  readonly #lines: string[] = []
  readonly #verbose: boolean
  count = 0

  constructor(verbose = false) {
    this.#verbose = verbose
  }

  /** Numbers go into the hash at a thousandth's precision. */
  note(kind: string, a = 0, b = 0, c = 0): void {
    this.count++
    for (let i = 0; i < kind.length; i++) this.#mix(kind.charCodeAt(i))
    this.#mix(a * 1000)
    this.#mix(b * 1000)
    this.#mix(c * 1000)
    if (this.#verbose) this.#keep(`${kind} ${a} ${b} ${c}`)
  }

  bytes(kind: string, at: number, from: number, to: number, bytes: Uint8Array): void {
    this.note(kind, at, from, to)
    let [low, high] = [this.#low, this.#high]
    for (let i = 0; i < bytes.length; i++) {
      low = Math.imul(low ^ bytes[i]!, 0x01000193)
      high = Math.imul(high ^ (bytes[i]! + (low >>> 15)), 0x85ebca6b)
    }
    this.#low = low
    this.#high = high
  }

  get hash(): string {
    return (this.#high >>> 0).toString(16).padStart(8, '0') + (this.#low >>> 0).toString(16).padStart(8, '0')
  }

  /** the last lines; empty unless it is verbose */
  get lines(): readonly string[] {
    return this.#lines
  }

  #mix(value: number): void {
    this.#low = Math.imul(this.#low ^ value, 0x01000193)
    this.#high = Math.imul(this.#high ^ (value + (this.#low >>> 15)), 0x85ebca6b)
  }

  #keep(line: string): void {
    this.#lines.push(line)
    if (this.#lines.length > 2 * KEPT) this.#lines.splice(0, KEPT)
  }
}
