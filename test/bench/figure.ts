/** One line of test/bench/RESULTS.md. */
export interface Figure {
  name: string
  value: number
  unit: string
  /** What the project asks for, in the unit of the value: `≤ 20`, `≥ 100000`, or what must be reached, `100`. */
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
  const limit = Number(target.replace(/^[≤≥] /, ''))
  return target.startsWith('≤') ? value <= limit : value >= limit
}
