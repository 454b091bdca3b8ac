import type { Validator } from '../../wasm/bft/types.ts'
import { compareBytes } from './bytes.ts'

/** An operator's weight is cut into this many parts before it is split over its validators: 1/n exact up to n = 16. */
const WEIGHT_PARTS = 720_720
const MAX_TOTAL = 2 ** 33 - 1

/** @returns into how many parts each unit of weight is cut, so that the sum of all stays below 2³³ */
export function partsOf(totalWeight: number): number {
  return Math.min(WEIGHT_PARTS, Math.floor(MAX_TOTAL / totalWeight))
}

/**
 * The set that operators make: each validator has an equal part of its operator's weight, rounded down; one whose
 * part is nothing has no vote.
 *
 * @returns by key in bytewise order
 */
export function powersOf(
  operators: readonly { readonly weight: number; readonly validators: readonly Uint8Array[] }[],
): Validator[] {
  const parts = partsOf(operators.reduce((sum, { weight }) => sum + weight, 0))
  return operators
    .flatMap(({ weight, validators }) =>
      validators.map((key) => ({ key, power: Math.floor((weight * parts) / validators.length) })),
    )
    .filter(({ power }) => power > 0)
    .sort((a, b) => compareBytes(a.key, b.key))
}
