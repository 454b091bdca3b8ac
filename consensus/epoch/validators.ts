import type { Validator } from '../mesh/engine.ts'
import { compareBytes, equalBytes } from '../light/bytes.ts'

export function totalPower(validators: readonly Validator[]): number {
  return validators.reduce((sum, { power }) => sum + power, 0)
}

/** More than 2/3: two such sets share an honest validator while less than a third lies. */
export function isQuorum(power: number, total: number): boolean {
  return power * 3 > total * 2
}

/** More than 1/3: one honest validator at least is among them. */
export function isOneHonest(power: number, total: number): boolean {
  return power * 3 > total
}

/** @param validators - in the order of their keys; @returns 0 for a key that is none of them */
export function powerOf(validators: readonly Validator[], key: Uint8Array): number {
  return validators.find((each) => equalBytes(each.key, key))?.power ?? 0
}

const MASK = (1n << 64n) - 1n

/** One step of SplitMix64 (Steele, Lea and Flood 2014): spreads heights over the whole range. */
function splitmix64(x: bigint): bigint {
  let z = (x + 0x9e3779b97f4a7c15n) & MASK
  z = ((z ^ (z >> 30n)) * 0xbf58476d1ce4e5b9n) & MASK
  z = ((z ^ (z >> 27n)) * 0x94d049bb133111ebn) & MASK
  return z ^ (z >> 31n)
}

/**
 * Who proposes: at round 0 by lot, in proportion to the power; each later round the next in the order of keys.
 *
 * @param validators - in the order of their keys, at least one
 * @returns its key
 */
export function proposerOf(validators: readonly Validator[], height: number, round: number): Uint8Array {
  let left = Number(splitmix64(BigInt(height)) % BigInt(totalPower(validators)))
  const first = validators.findIndex(({ power }) => (left -= power) < 0)
  return validators[(first + round) % validators.length]!.key
}

export function inOrder(keys: readonly Uint8Array[]): Uint8Array[] {
  return [...keys].sort(compareBytes)
}

export function includesKey(keys: readonly Uint8Array[], key: Uint8Array): boolean {
  return keys.some((each) => equalBytes(each, key))
}
