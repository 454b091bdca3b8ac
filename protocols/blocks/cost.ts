import { MIN_ANSWER_COST_BYTES } from './constants.ts'

/** @param sizes - of the blocks in an answer; @param absent - wants that it answers without one */
export function costOf(sizes: readonly number[], absent: number): number {
  return sizes.reduce((sum, size) => sum + Math.max(size, MIN_ANSWER_COST_BYTES), absent * MIN_ANSWER_COST_BYTES)
}
