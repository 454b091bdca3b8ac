import { COLLAPSE_THRESHOLD } from './constants.ts'

/**
 * The integration time with which a perfectly coherent input collapses exactly at `tauMax`:
 * tau = tau_max / ln(1/(1-√I_c)) = tau_max / 3.676138… (coherence.md §5).
 *
 * @param tauMax - seconds
 * @param threshold - I_c, in (0, 1)
 * @returns tau, seconds
 */
export function tauOf(tauMax: number, threshold = COLLAPSE_THRESHOLD): number {
  return tauMax / collapseTaus(threshold)
}

/** How many tau a coherent input needs from 0 to I_c: -ln(1-√I_c), 3.676138… at .95. */
export function collapseTaus(threshold = COLLAPSE_THRESHOLD): number {
  return -Math.log(1 - Math.sqrt(threshold))
}

/**
 * Effective number of independent samples in a leaky integrator of decay `a` per sample.
 *
 * @param decay - a = e^{-h/tau}, in [0, 1)
 * @param relativeBandwidth - occupied part of the Nyquist band, in (0, 1]; 1 for an unfiltered input
 */
export function effectiveSamples(decay: number, relativeBandwidth = 1): number {
  return (relativeBandwidth * (1 + decay)) / (1 - decay)
}

/** The least decay per sample that gives `nEff`; the inverse of {@link effectiveSamples}. */
export function decayFor(nEff: number, relativeBandwidth = 1): number {
  const n = nEff / relativeBandwidth
  return (n - 1) / (n + 1)
}

/**
 * Bound on the probability that noise alone shows |T|² ≥ c: P ≤ √(1+4πcN)·e^{-cN} (P5). The plain Rayleigh
 * value e^{-cN} of the null test is the large-N limit for equal weights, not a bound.
 *
 * @param nEff - effective number of independent samples, ≥ 0
 * @param threshold - c, in (0, 1]
 * @returns a probability, in [0, 1]
 */
export function falseAlarm(nEff: number, threshold = COLLAPSE_THRESHOLD): number {
  const exponent = threshold * nEff
  return Math.min(1, Math.sqrt(1 + 4 * Math.PI * exponent) * Math.exp(-exponent))
}

/**
 * T_sync can only reach I_c when both of its halves have |T| ≥ 2√I_c - 1 (0.949359 at .95): the shorter
 * window alone bounds its false alarms.
 */
export function syncFalseAlarm(nEffEmissary: number, threshold = COLLAPSE_THRESHOLD): number {
  return falseAlarm(nEffEmissary, syncLeastMagnitude(threshold) ** 2)
}

/** The least |T| of either half when |T_sync|² reaches the threshold: 2√c - 1, and 0 under c = 1/4. */
export function syncLeastMagnitude(threshold = COLLAPSE_THRESHOLD): number {
  return Math.max(0, 2 * Math.sqrt(threshold) - 1)
}

/** The greatest angle between the halves of a collapsed T_sync: 2·acos(√I_c), 0.451027 rad at .95. */
export function syncGreatestAngle(threshold = COLLAPSE_THRESHOLD): number {
  return 2 * Math.acos(Math.sqrt(threshold))
}
