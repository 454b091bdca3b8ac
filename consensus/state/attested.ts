import type { CommandOf } from './commands.ts'
import type { Draft } from './draft.ts'
import { attestedRecord, KEY, type Result } from './records.ts'

/**
 * What the cell says of itself to the mesh: T_cell of an epoch and, by its root, all that it has agreed on up to here.
 * Of one epoch it may be said again, since other things change meanwhile; never of an earlier one, nor another T_cell.
 */
export function attestEpoch(draft: Draft, { epoch, t }: CommandOf<'epoch-attest'>): Result {
  const before = draft.get(KEY.attested, attestedRecord)
  const isOld = before !== undefined && (epoch < before.epoch || (epoch === before.epoch && !isEqual(t, before.t)))
  if (isOld) return { ok: false, code: 'E_EPOCH_OLD' }
  draft.set(KEY.attested, attestedRecord, { epoch, index: draft.index, t })
  return { ok: true }
}

type T = CommandOf<'epoch-attest'>['t']

function isEqual(one: T, other: T): boolean {
  return one?.[0] === other?.[0] && one?.[1] === other?.[1]
}
