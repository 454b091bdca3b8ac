/**
 * Field coherence of the source documents: 1/(1 + population variance). A variance score: it depends on the scale of
 * the values (the same field in other units scores otherwise), and says nothing about phase.
 *
 * @param values - n finite numbers in any unit
 * @returns in (0, 1]; 1 for equal values, one value or none
 */
export function fieldCoherence(values: readonly number[] | Float64Array): number {
  if (values.length === 0) return 1
  let mean = 0
  for (const value of values) mean += value / values.length
  let variance = 0
  for (const value of values) variance += (value - mean) ** 2 / values.length
  return 1 / (1 + variance)
}
