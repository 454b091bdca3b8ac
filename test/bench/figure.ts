/** One line of test/bench/RESULTS.md. */
export interface Figure {
  name: string
  value: number
  unit: string
  /** As it is printed, for example `≤ 2`. */
  target?: string | number
}
