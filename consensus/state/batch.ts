import type { Configuration, Entry } from '../cell/engine.ts'
import type { Applied } from '../cell/ports.ts'
import { applyEntry, type Halt, type State } from './machine.ts'

/** What several entries have led to together. */
export interface Batch {
  readonly state: State
  readonly applied: readonly Applied[]
  /** for one transaction: of each key the last value, `null` to delete */
  readonly changes: ReadonlyMap<string, Uint8Array | null>
  /** why the node must stop after these; the entry that it stops at is not among `applied` */
  readonly halt: Halt | undefined
}

/**
 * Applies committed entries in order; how they are cut into batches makes no difference to the state.
 *
 * @param configured - of each `change` entry the configuration it led to
 */
export function applyEntries(
  start: State,
  entries: readonly Entry[],
  configured: ReadonlyMap<number, Configuration>,
): Batch {
  let state = start
  const applied: Applied[] = []
  const changes = new Map<string, Uint8Array | null>()
  for (const entry of entries) {
    const outcome = applyEntry(state, entry, configured.get(entry.index))
    if (outcome.halt !== undefined) return { state, applied, changes, halt: outcome.halt }
    state = outcome.state
    for (const { key, value } of outcome.changes) changes.set(key, value)
    applied.push({ index: entry.index, commandId: outcome.commandId, result: outcome.result })
  }
  return { state, applied, changes, halt: undefined }
}
