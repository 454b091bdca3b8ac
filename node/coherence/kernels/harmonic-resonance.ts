/** The seven frequencies named in the source documents, Hz. */
export const HARMONICS_HZ = [396, 417, 528, 639, 741, 852, 963] as const

/**
 * Nearness to the nearest of seven harmonics: max_h 1/(1+|f-h|).
 *
 * @param frequencyHz - f, Hz
 * @returns in (0, 1]; 1 on a harmonic, ½ one hertz beside it
 */
export function harmonicResonance(frequencyHz: number): number {
  return Math.max(...HARMONICS_HZ.map((harmonic) => 1 / (1 + Math.abs(frequencyHz - harmonic))))
}
