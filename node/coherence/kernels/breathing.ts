export const BREATH_S = 10
export const INHALE_S = 4

export interface Breath {
  readonly phase: 'in' | 'out'
  /** how far through this phase, in [0, 1) */
  readonly progress: number
  /** fullness, 0 empty to 1 full, a raised cosine over each phase */
  readonly depth: number
}

/**
 * Breathing rhythm of the source documents: 10 s a cycle (0.1 Hz), 4 s in, 6 s out.
 *
 * @param time - seconds, any sign
 */
export function breathAt(time: number): Breath {
  const within = time - BREATH_S * Math.floor(time / BREATH_S)
  const inhaling = within < INHALE_S
  const progress = inhaling ? within / INHALE_S : (within - INHALE_S) / (BREATH_S - INHALE_S)
  const rise = (1 - Math.cos(Math.PI * progress)) / 2
  return { phase: inhaling ? 'in' : 'out', progress, depth: inhaling ? rise : 1 - rise }
}
