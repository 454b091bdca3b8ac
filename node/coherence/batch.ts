// One rotator step rounds by an ulp: 1024 of them stay under 1e-12 rad, then it is set anew from ω·t (P10).
export const RENORMALISE_EVERY = 1024

/** REF over a regular stream, leaky, in typed arrays: the operator of coherence.md §3–4 for many samples at a time. */
export interface RefBatch {
  /** rad/s */
  readonly omega: number
  /** h, seconds */
  readonly step: number
  /** e^{-h/tau} */
  readonly decay: number
  /** samples taken; sample k is at k·h */
  count: number
  /** T */
  re: number
  im: number
}

/** @param params - ω in rad/s, step h and tau in seconds */
export function createRefBatch(params: { omega: number; step: number; tau: number }): RefBatch {
  return { omega: params.omega, step: params.step, decay: Math.exp(-params.step / params.tau), count: 0, re: 0, im: 0 }
}

/**
 * Unit phasors of phases.
 *
 * @param phases - n phases, rad
 * @param re - n cosines, written
 * @param im - n sines, written
 */
export function phasorsFromPhases(phases: Float64Array | Float32Array, re: Float64Array, im: Float64Array): void {
  for (let k = 0; k < phases.length; k++) {
    const phase = phases[k] ?? 0
    re[k] = Math.cos(phase)
    im[k] = Math.sin(phase)
  }
}

/**
 * Advances T over a batch of phasors; equals `step` sample by sample to 1e-12.
 *
 * @param batch - advanced in place
 * @param re - n real parts of u_k, a point of the unit circle or 0
 * @param im - n imaginary parts
 */
export function advanceRefBatch(batch: RefBatch, re: Float64Array, im: Float64Array): void {
  for (let from = 0; from < re.length; from += RENORMALISE_EVERY) {
    advanceRun(batch, re, im, from)
  }
}

function advanceRun(batch: RefBatch, re: Float64Array, im: Float64Array, from: number): void {
  const to = Math.min(from + RENORMALISE_EVERY, re.length)
  const { decay } = batch
  const gain = 1 - decay
  const stepRe = Math.cos(batch.omega * batch.step)
  const stepIm = Math.sin(batch.omega * batch.step)
  const angle = batch.omega * batch.count * batch.step
  let rotRe = Math.cos(angle)
  let rotIm = Math.sin(angle)
  let tRe = batch.re
  let tIm = batch.im
  for (let k = from; k < to; k++) {
    const uRe = re[k] ?? 0
    const uIm = im[k] ?? 0
    tRe = decay * tRe + gain * (uRe * rotRe + uIm * rotIm)
    tIm = decay * tIm + gain * (uRe * rotIm - uIm * rotRe)
    const nextRe = rotRe * stepRe - rotIm * stepIm
    rotIm = rotRe * stepIm + rotIm * stepRe
    rotRe = nextRe
  }
  batch.re = tRe
  batch.im = tIm
  batch.count += to - from
}
