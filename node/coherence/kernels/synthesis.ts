const TURN = 2 ** 32

/**
 * Frequency synthesis by a 32-bit phase accumulator (direct digital synthesis): the frequency is exact to fs/2³³ for
 * ever, since an integer that wraps cannot drift.
 *
 * @param frequencyHz - f, in [0, fs/2]
 * @param rateHz - fs
 * @returns the accumulator's step, round(f·2³²/fs), in [0, 2³¹]
 * @throws RangeError when f is negative or above fs/2
 */
export function phaseStep(frequencyHz: number, rateHz: number): number {
  if (frequencyHz >= 0 && frequencyHz <= rateHz / 2) return Math.round((frequencyHz * TURN) / rateHz)
  throw new RangeError(`${frequencyHz} Hz cannot be synthesised at ${rateHz} Hz`)
}

/**
 * Phases of `length` samples.
 *
 * @param step - from {@link phaseStep}
 * @param start - accumulator at the first sample, in [0, 2³²)
 * @returns rad, in [0, 2π)
 */
export function synthesise(step: number, length: number, start = 0): Float64Array {
  const phases = new Float64Array(length)
  let accumulator = start >>> 0
  for (let k = 0; k < length; k++) {
    phases[k] = (accumulator / TURN) * 2 * Math.PI
    accumulator = (accumulator + step) >>> 0
  }
  return phases
}
