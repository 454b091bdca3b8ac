import type { Floats } from '../../wasm/index.ts'

/*
 * The coherence kernels in TypeScript as fast as V8 runs them, to hold wasm against: no calls of Math.cos, every sum in
 * a local. They keep the kernels' promises (their precision, samples that are not finite), else the race would be unfair.
 *
 * e^{ix} = e^{2πim/1024}·e^{ir}: the first factor from a table that fits the first cache, |r| ≤ 0.0031. Two terms of the
 * series of e^{ir} leave 5e-9, enough for floats, four leave 3e-15. Adding 1.5·2^52 rounds to the nearest integer.
 */
const PARTS = 1024
const MASK = PARTS - 1
const PER_RADIAN = PARTS / (2 * Math.PI)
const PART = (2 * Math.PI) / PARTS
const PART_HIGH = Math.fround(PART)
const PART_LOW = PART - PART_HIGH
const ROUND = 1.5 * 2 ** 52
const COS = Float64Array.from({ length: PARTS }, (_, part) => Math.cos(part * PART))
const SIN = Float64Array.from({ length: PARTS }, (_, part) => Math.sin(part * PART))

/** A stretch whose sum is not finite is summed once more, sample by sample. */
const STRETCH = 1024

export function phaseLockingFloats(a: Floats, b: Floats, length: number): number {
  let re = 0
  let im = 0
  for (let from = 0; from < length; from += STRETCH) {
    const to = Math.min(length, from + STRETCH)
    let x = 0
    let y = 0
    for (let k = from; k < to; k++) {
      const angle = a[k]! - b[k]!
      const part = angle * PER_RADIAN + ROUND - ROUND
      const rest = angle - part * PART
      const cos = COS[part & MASK]!
      const sin = SIN[part & MASK]!
      const near = 1 - rest * rest * 0.5
      x += cos * near - sin * rest
      y += sin * near + cos * rest
    }
    if (!Number.isFinite(x + y)) [x, y] = sumOfFinite(a, b, from, to)
    re += x
    im += y
  }
  return Math.sqrt(re * re + im * im) / length
}

export function phaseLockingDoubles(a: Floats, b: Floats, length: number): number {
  let re = 0
  let im = 0
  for (let from = 0; from < length; from += STRETCH) {
    const to = Math.min(length, from + STRETCH)
    let x = 0
    let y = 0
    for (let k = from; k < to; k++) {
      const angle = a[k]! - b[k]!
      const part = angle * PER_RADIAN + ROUND - ROUND
      const rest = angle - part * PART_HIGH - part * PART_LOW
      const square = rest * rest
      const cos = COS[part & MASK]!
      const sin = SIN[part & MASK]!
      const near = 1 - square * (0.5 - square * (1 / 24))
      const beside = rest - rest * square * (1 / 6)
      x += cos * near - sin * beside
      y += sin * near + cos * beside
    }
    if (!Number.isFinite(x + y)) [x, y] = sumOfFinite(a, b, from, to)
    re += x
    im += y
  }
  return Math.sqrt(re * re + im * im) / length
}

function sumOfFinite(a: Floats, b: Floats, from: number, to: number): [re: number, im: number] {
  let re = 0
  let im = 0
  for (let k = from; k < to; k++) {
    const angle = a[k]! - b[k]!
    if (!Number.isFinite(angle)) continue
    re += Math.cos(angle)
    im += Math.sin(angle)
  }
  return [re, im]
}

export function phasorsFloats(phases: Floats, re: Floats, im: Floats, length: number): void {
  for (let k = 0; k < length; k++) {
    const angle = phases[k]!
    const part = angle * PER_RADIAN + ROUND - ROUND
    const rest = angle - part * PART
    const cos = COS[part & MASK]!
    const sin = SIN[part & MASK]!
    const near = 1 - rest * rest * 0.5
    const isFinite = rest - rest === 0
    re[k] = isFinite ? cos * near - sin * rest : 0
    im[k] = isFinite ? sin * near + cos * rest : 0
  }
}

export function phasorsDoubles(phases: Floats, re: Floats, im: Floats, length: number): void {
  for (let k = 0; k < length; k++) {
    const angle = phases[k]!
    const part = angle * PER_RADIAN + ROUND - ROUND
    const rest = angle - part * PART_HIGH - part * PART_LOW
    const square = rest * rest
    const cos = COS[part & MASK]!
    const sin = SIN[part & MASK]!
    const near = 1 - square * (0.5 - square * (1 / 24))
    const beside = rest - rest * square * (1 / 6)
    const isFinite = rest - rest === 0
    re[k] = isFinite ? cos * near - sin * beside : 0
    im[k] = isFinite ? sin * near + cos * beside : 0
  }
}

/** One row of the leaky operator: S = decay·S + e^{i(reference - phase)} of every stream. */
export type LeakRow = (phases: Floats, from: number, reference: number, decay: number, sums: Sums) => void
export interface Sums {
  readonly re: Float64Array
  readonly im: Float64Array
}

export const leakFloats: LeakRow = (phases, from, reference, decay, { re, im }) => {
  for (let stream = 0; stream < re.length; stream++) {
    const angle = reference - phases[from + stream]!
    const part = angle * PER_RADIAN + ROUND - ROUND
    const rest = angle - part * PART
    const cos = COS[part & MASK]!
    const sin = SIN[part & MASK]!
    const near = 1 - rest * rest * 0.5
    let x = cos * near - sin * rest
    let y = sin * near + cos * rest
    if (rest - rest !== 0) x = y = 0
    re[stream] = decay * re[stream]! + x
    im[stream] = decay * im[stream]! + y
  }
}

export const leakDoubles: LeakRow = (phases, from, reference, decay, { re, im }) => {
  for (let stream = 0; stream < re.length; stream++) {
    const angle = reference - phases[from + stream]!
    const part = angle * PER_RADIAN + ROUND - ROUND
    const rest = angle - part * PART_HIGH - part * PART_LOW
    const square = rest * rest
    const cos = COS[part & MASK]!
    const sin = SIN[part & MASK]!
    const near = 1 - square * (0.5 - square * (1 / 24))
    const beside = rest - rest * square * (1 / 6)
    let x = cos * near - sin * beside
    let y = sin * near + cos * beside
    if (rest - rest !== 0) x = y = 0
    re[stream] = decay * re[stream]! + x
    im[stream] = decay * im[stream]! + y
  }
}

/** The table's 2^10 parts are the accumulator's upper bits. */
export function synthesiseTone(step: number, start: number, values: Floats, length: number): void {
  const unit = (2 * Math.PI) / 2 ** 32
  let accumulator = start | 0
  for (let k = 0; k < length; k++) {
    const part = (accumulator + 2 ** 21) >> 22
    const rest = (accumulator - part * 2 ** 22) * unit
    const square = rest * rest
    const near = 1 - square * (0.5 - square * (1 / 24))
    values[k] = COS[part & MASK]! * near - SIN[part & MASK]! * (rest - rest * square * (1 / 6))
    accumulator = (accumulator + step) | 0
  }
}
