import type { Codec } from '../../protocols/shared/codec.ts'
import { compareBytes } from '../light/bytes.ts'
import { readChange, readPolicy } from './change-codec.ts'
import { cidOf } from './cid.ts'
import {
  ascending,
  bytes,
  cellName,
  cidBytes,
  complex,
  defineCanonical,
  key,
  keys,
  listOf,
  orNull,
  orUndefined,
  personName,
  record,
  tuple,
  whole,
} from './fields.ts'
import {
  MAX_CELL_MEMBERS,
  MAX_CELL_VALIDATORS,
  MAX_MEMBERS,
  MAX_MOTIONS,
  MAX_OPERATORS,
  MAX_OUT,
  MAX_REVOKED,
  MAX_STATE_BYTES,
  MAX_TOTAL_WEIGHT,
  MAX_VALIDATORS,
} from './limits.ts'
import { readSet, writeSet } from './set-codec.ts'
import type { Attested, MeshState, Motion, Operator, Reporter, Revocation } from './types.ts'

const attested = record<Attested>({ epoch: whole(), index: whole(), root: bytes(36), t: orNull(complex) })

const operator = record<Operator>({
  name: personName,
  cell: cellName,
  weight: whole(1, MAX_TOTAL_WEIGHT - 1),
  members: keys(MAX_CELL_MEMBERS),
  validators: keys(MAX_CELL_VALIDATORS),
  attested: orUndefined(attested),
})

const motion = record<Motion>({
  id: bytes(32),
  change: readChange,
  by: key,
  opened: whole(1),
  expires: whole(1),
  effectiveAt: whole(),
  yes: keys(MAX_VALIDATORS),
  no: keys(MAX_VALIDATORS),
  carried: orUndefined(whole(1)),
})

const reporterPair = tuple<readonly [Uint8Array, string]>(key, cellName)
const reporter = (value: unknown): Reporter => {
  const [key, cell] = reporterPair(value)
  return { key, cell }
}
const revocationFields = tuple<readonly [Uint8Array, string, number]>(key, cellName, whole(1))
const revocation = (value: unknown): Revocation => {
  const [subject, cell, height] = revocationFields(value)
  return { subject, cell, height }
}

const read = record<MeshState>({
  mesh: cidBytes,
  height: whole(),
  time: whole(),
  head: cidBytes,
  operators: ascending(listOf(operator, MAX_OPERATORS), (a, b) => (a.cell < b.cell ? -1 : a.cell > b.cell ? 1 : 0)),
  lastValidators: readSet,
  validators: readSet,
  nextValidators: readSet,
  reporters: ascending(listOf(reporter, MAX_MEMBERS), (a, b) => compareBytes(a.key, b.key)),
  policy: readPolicy,
  motions: listOf(motion, MAX_MOTIONS),
  revoked: listOf(revocation, MAX_REVOKED),
  out: listOf(key, MAX_OUT),
})

function write(state: MeshState): unknown {
  return {
    ...state,
    operators: state.operators.map((operator) => ({ ...operator, attested: operator.attested ?? null })),
    lastValidators: writeSet(state.lastValidators),
    validators: writeSet(state.validators),
    nextValidators: writeSet(state.nextValidators),
    reporters: state.reporters.map(({ key, cell }) => [key, cell]),
    motions: state.motions.map((motion) => ({ ...motion, carried: motion.carried ?? null })),
    revoked: state.revoked.map(({ subject, cell, height }) => [subject, cell, height]),
  }
}

/** ≤ 640 KiB; a few KiB with few operators. */
export const stateCodec: Codec<MeshState> = defineCanonical('mesh state', MAX_STATE_BYTES, read, write)

/** A state does not change, the next epoch makes another: what the disk takes is what the next header names. */
const encoded = new WeakMap<MeshState, { readonly bytes: Uint8Array; readonly cid: Uint8Array }>()

export function encodedState(state: MeshState): { readonly bytes: Uint8Array; readonly cid: Uint8Array } {
  const known = encoded.get(state)
  if (known !== undefined) return known
  const bytes = stateCodec.encode(state)
  const found = { bytes, cid: cidOf(bytes) }
  encoded.set(state, found)
  return found
}

export function cidOfState(state: MeshState): Uint8Array {
  return encodedState(state).cid
}
