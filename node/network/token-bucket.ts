/** One key's allowance: `ratePerSecond` on average, `burst` at once. Time is an input, in milliseconds. */
export interface Allowance {
  ratePerSecond: number
  burst: number
}

interface Bucket {
  tokens: number
  atMs: number
}

/** Token buckets by key, bounded: the key unused for longest is forgotten first. */
export class TokenBuckets {
  readonly #buckets = new Map<string, Bucket>()
  readonly #maxKeys: number

  constructor(maxKeys: number) {
    this.#maxKeys = maxKeys
  }

  get size(): number {
    return this.#buckets.size
  }

  /** Takes one token. @returns false when there is none */
  take(key: string, allowance: Allowance, nowMs: number): boolean {
    const bucket = this.#buckets.get(key) ?? { tokens: allowance.burst, atMs: nowMs }
    const elapsedMs = Math.max(0, nowMs - bucket.atMs)
    bucket.tokens = Math.min(allowance.burst, bucket.tokens + (elapsedMs * allowance.ratePerSecond) / 1000)
    bucket.atMs = nowMs
    this.#buckets.delete(key)
    this.#buckets.set(key, bucket)
    if (this.#buckets.size > this.#maxKeys) this.#forgetOldest()
    if (bucket.tokens < 1) return false
    bucket.tokens -= 1
    return true
  }

  #forgetOldest(): void {
    const oldest = this.#buckets.keys().next()
    if (oldest.done !== true) this.#buckets.delete(oldest.value)
  }
}
