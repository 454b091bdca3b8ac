import type { Floats } from '../../wasm/index.ts'

/** Pairs of samples in a group. */
const PAIRS = 16
const GROUP = 2 * PAIRS

/**
 * Goertzel coefficients X = (2/M)·Σ (x_j - mean)·e^{-iωj}, faster than Goertzel's recursion: cosine is even and sine odd
 * about the middle of a group, so two samples cost two products; two frequencies and both halves of the block go on
 * together, since V8's loads are what limits it.
 */
export class FoldedGoertzel {
  readonly #angles: Float64Array
  readonly #table: Float64Array
  readonly #padded: Float64Array
  readonly #folded: Float64Array
  readonly re: Float64Array
  readonly im: Float64Array

  constructor(angles: readonly number[], maxValues: number) {
    const even = angles.length % 2 === 0 ? angles : [...angles, 0]
    this.#angles = Float64Array.from(even)
    const tableOf = (angle: number) =>
      Array.from({ length: PAIRS }, (_, j) => [Math.cos((j + 0.5) * angle), Math.sin((j + 0.5) * angle)]).flat()
    this.#table = Float64Array.from(even.flatMap(tableOf))
    this.#padded = new Float64Array(Math.ceil(maxValues / (2 * GROUP)) * 2 * GROUP)
    this.#folded = new Float64Array(Math.ceil(maxValues / (2 * GROUP)) * 2 * GROUP)
    this.re = new Float64Array(even.length)
    this.im = new Float64Array(even.length)
  }

  transform(values: Floats, length: number): void {
    const padded = Math.ceil(length / (2 * GROUP)) * 2 * GROUP
    this.#fold(values, length, padded)
    for (let f = 0; f < this.#angles.length; f += 2) this.#sumTwo(f, padded, 2 / length)
  }

  /** Sums and differences of the samples of each pair, less their mean. */
  #fold(values: Floats, length: number, padded: number): void {
    const padding = this.#padded
    const folded = this.#folded
    let mean = 0
    for (let j = 0; j < length; j++) mean += values[j]!
    mean /= length
    padding.set(length === values.length ? values : values.subarray(0, length))
    padding.fill(mean, length, padded)
    for (let group = 0; group < padded; group += GROUP) {
      for (let j = 0; j < PAIRS; j++) {
        const before = padding[group + PAIRS - 1 - j]! - mean
        const after = padding[group + PAIRS + j]! - mean
        folded[group + 2 * j] = after + before
        folded[group + 2 * j + 1] = after - before
      }
    }
  }

  #sumTwo(f: number, padded: number, scale: number): void {
    const folded = this.#folded
    const table = this.#table
    const half = padded / 2
    const from = f * GROUP
    const a = this.#angles[f]!
    const b = this.#angles[f + 1]!
    const aCos = Math.cos(GROUP * a)
    const aSin = Math.sin(GROUP * a)
    const bCos = Math.cos(GROUP * b)
    const bSin = Math.sin(GROUP * b)
    let aRe = 0
    let aIm = 0
    let bRe = 0
    let bIm = 0
    let aRe2 = 0
    let aIm2 = 0
    let bRe2 = 0
    let bIm2 = 0
    for (let group = half - GROUP; group >= 0; group -= GROUP) {
      let turned = aRe * aCos + aIm * aSin
      aIm = aIm * aCos - aRe * aSin
      aRe = turned
      turned = bRe * bCos + bIm * bSin
      bIm = bIm * bCos - bRe * bSin
      bRe = turned
      turned = aRe2 * aCos + aIm2 * aSin
      aIm2 = aIm2 * aCos - aRe2 * aSin
      aRe2 = turned
      turned = bRe2 * bCos + bIm2 * bSin
      bIm2 = bIm2 * bCos - bRe2 * bSin
      bRe2 = turned
      for (let j = 0; j < GROUP; j += 2) {
        const sum = folded[group + j]!
        const difference = folded[group + j + 1]!
        const sum2 = folded[half + group + j]!
        const difference2 = folded[half + group + j + 1]!
        const aC = table[from + j]!
        const aS = table[from + j + 1]!
        const bC = table[from + GROUP + j]!
        const bS = table[from + GROUP + j + 1]!
        aRe += sum * aC
        aIm -= difference * aS
        bRe += sum * bC
        bIm -= difference * bS
        aRe2 += sum2 * aC
        aIm2 -= difference2 * aS
        bRe2 += sum2 * bC
        bIm2 -= difference2 * bS
      }
    }
    this.#put(f, half, scale, [aRe, aIm, aRe2, aIm2])
    this.#put(f + 1, half, scale, [bRe, bIm, bRe2, bIm2])
  }

  #put(f: number, half: number, scale: number, [re, im, re2, im2]: [number, number, number, number]): void {
    const angle = this.#angles[f]!
    const first = angle * (PAIRS - 0.5)
    const second = angle * (half + PAIRS - 0.5)
    const cos = Math.cos(first)
    const sin = Math.sin(first)
    const cos2 = Math.cos(second)
    const sin2 = Math.sin(second)
    this.re[f] = scale * (re * cos + im * sin + re2 * cos2 + im2 * sin2)
    this.im[f] = scale * (im * cos - re * sin + im2 * cos2 - re2 * sin2)
  }
}

type Phasors = (phases: Floats, re: Floats, im: Floats, length: number) => void

/** Phasors of a stretch of 64 channels stay in the second cache. */
const STRETCH = 256

/** Phase-locking values of all pairs of an even number of channels; `values` likewise written. */
export class BlockedMatrix {
  readonly #phasors: Phasors
  readonly #channels: number
  readonly #re: Float64Array
  readonly #im: Float64Array
  readonly #pairs: Float64Array

  constructor(phasors: Phasors, channels: number) {
    this.#phasors = phasors
    this.#channels = channels
    this.#re = new Float64Array(channels * STRETCH)
    this.#im = new Float64Array(channels * STRETCH)
    this.#pairs = new Float64Array(2 * channels * channels)
  }

  compute(phases: Floats, length: number, values: Float64Array): void {
    const channels = this.#channels
    const pairs = this.#pairs
    pairs.fill(0)
    for (let from = 0; from < length; from += STRETCH) this.#addStretch(phases, length, from)
    for (let a = 0; a < channels; a++) {
      for (let b = a; b < channels; b++) {
        const at = 2 * (a * channels + b)
        const value = Math.sqrt(pairs[at]! * pairs[at]! + pairs[at + 1]! * pairs[at + 1]!) / length
        values[a * channels + b] = value
        values[b * channels + a] = value
      }
    }
  }

  #addStretch(phases: Floats, length: number, from: number): void {
    const size = Math.min(STRETCH, length - from)
    for (let channel = 0; channel < this.#channels; channel++) {
      const at = channel * length + from
      const to = channel * STRETCH
      const re = this.#re.subarray(to, to + size)
      const im = this.#im.subarray(to, to + size)
      this.#phasors(phases.subarray(at, at + size), re, im, size)
    }
    for (let a = 0; a < this.#channels; a += 2) {
      for (let b = a; b < this.#channels; b += 2) this.#addSquare(a, b, size)
    }
  }

  /** The four pairs of channels a, a+1 with b, b+1: each phasor that is loaded serves twice. */
  #addSquare(a: number, b: number, size: number): void {
    const re = this.#re
    const im = this.#im
    const pairs = this.#pairs
    const left = a * STRETCH
    const right = b * STRETCH
    let re00 = 0
    let im00 = 0
    let re01 = 0
    let im01 = 0
    let re10 = 0
    let im10 = 0
    let re11 = 0
    let im11 = 0
    for (let k = 0; k < size; k++) {
      const a0r = re[left + k]!
      const a0i = im[left + k]!
      const a1r = re[left + STRETCH + k]!
      const a1i = im[left + STRETCH + k]!
      const b0r = re[right + k]!
      const b0i = im[right + k]!
      const b1r = re[right + STRETCH + k]!
      const b1i = im[right + STRETCH + k]!
      re00 += a0r * b0r + a0i * b0i
      im00 += a0i * b0r - a0r * b0i
      re01 += a0r * b1r + a0i * b1i
      im01 += a0i * b1r - a0r * b1i
      re10 += a1r * b0r + a1i * b0i
      im10 += a1i * b0r - a1r * b0i
      re11 += a1r * b1r + a1i * b1i
      im11 += a1i * b1r - a1r * b1i
    }
    const sums = [re00, im00, re01, im01, re10, im10, re11, im11]
    for (let n = 0; n < 8; n++) {
      const row = a + (n >> 2)
      pairs[2 * (row * this.#channels + b + ((n >> 1) & 1)) + (n & 1)]! += sums[n]!
    }
  }
}
