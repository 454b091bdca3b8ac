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

/** Policy of a genesis: so many of an operator's founders vote, and fewer where a set would get too large. */
export const FOUNDING_VALIDATORS = 7
const MAX_VALIDATORS = 64

/**
 * @param members - keys of an operator's full founders
 * @param operators - how many the genesis has, 1…64
 * @returns those who vote on the first epochs, in bytewise order: the first by key
 */
export function foundingValidators(members: readonly Uint8Array[], operators: number): Uint8Array[] {
  return members.toSorted(compareBytes).slice(0, Math.min(FOUNDING_VALIDATORS, Math.floor(MAX_VALIDATORS / operators)))
}

/** The set that decides the first epoch. */
export function foundingSet(
  operators: readonly { readonly weight: number; readonly members: readonly Uint8Array[] }[],
): Validator[] {
  return powersOf(
    operators.map(({ weight, members }) => ({ weight, validators: foundingValidators(members, operators.length) })),
  )
}
