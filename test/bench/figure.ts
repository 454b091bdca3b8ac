/** One line of test/bench/RESULTS.md. */
export interface Figure {
  name: string
  value: number
  unit: string
  /** What the project asks for, in the unit of the value: `≤ 20`, `≥ 100000`, or what must be reached, `100`. */
  target?: string
  /** Name of another figure of the same run that this one is held against. */
  baseline?: string
  /** What the value was made of or stands beside, by column; figures with the same columns share a table. */
  beside?: Record<string, number>
}

/** What a group found; its remarks are sentences for the reader. */
export interface Report {
  figures: Figure[]
  remarks: string[]
}

/** Other programs that a group can be held against, each an option of that name; never a dependency. */
export const PEERS = ['numpy', 'etcd', 'kubo', 'cometbft'] as const
export type Peer = (typeof PEERS)[number]

/** Measures one group in a fresh process, beside those of the peers that are asked for. */
export type Bench = (peers: ReadonlySet<Peer>) => Promise<Figure[] | Report>

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
