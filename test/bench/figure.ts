/** One line of test/bench/RESULTS.md. */
export interface Figure {
  name: string
  value: number
  unit: string
  /** What the project asks for: `≤ 20` or `≥ 100000`, in the unit of the value. */
  target?: string
  /** Name of another figure of the same run that this one is held against. */
  baseline?: string
}

/** Measures one group in a fresh process. */
export type Bench = () => Promise<Figure[]>

/** @param share - 0..1 */
export function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? NaN
}

/** @returns undefined when nothing is asked for */
export function isMet({ value, target }: Figure): boolean | undefined {
  if (target === undefined) return undefined
  const [bound, limit] = target.split(' ')
  return bound === '≤' ? value <= Number(limit) : value >= Number(limit)
}
