import type { Codec } from '../../protocols/shared/codec.ts'
import { compareBytes } from '../light/bytes.ts'
import type { Validator } from '../mesh/engine.ts'
import { cidOf } from './cid.ts'
import { ascending, defineCanonical, key, listOf, tuple, whole } from './fields.ts'
import { MAX_TOTAL_WEIGHT, MAX_VALIDATORS } from './limits.ts'

const pair = tuple<readonly [Uint8Array, number]>(key, whole(1, MAX_TOTAL_WEIGHT - 1))

export const readSet = ascending(
  listOf((value): Validator => {
    const [key, power] = pair(value)
    return { key, power }
  }, MAX_VALIDATORS),
  (a, b) => compareBytes(a.key, b.key),
)

export function writeSet(validators: readonly Validator[]): unknown {
  return validators.map(({ key, power }) => [key, power])
}

/** [[key, power]…] in the order of the keys. */
export const validatorsCodec: Codec<readonly Validator[]> = defineCanonical('validator set', 4096, readSet, writeSet)

/** Sets change rarely and are asked about several times an epoch. */
const cids = new WeakMap<readonly Validator[], Uint8Array>()

export function cidOfSet(validators: readonly Validator[]): Uint8Array {
  const known = cids.get(validators)
  if (known !== undefined) return known
  const cid = cidOf(validatorsCodec.encode(validators))
  cids.set(validators, cid)
  return cid
}
