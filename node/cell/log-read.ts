import type { Entry, SnapshotMeta } from '../../consensus/cell/engine.ts'
import { CodedError } from '../../protocols/shared/errors.ts'
import type { Sublevel } from '../storage/sublevel.ts'
import {
  corruptLog,
  entryFormat,
  entryKey,
  headFormat,
  identityFormat,
  indexOfKey,
  LOG_VERSION,
  snapshotFormat,
  versionFormat,
  type Head,
  type LogIdentity,
} from './log-records.ts'

const encoder = new TextEncoder()
export const IDENTITY_KEY = encoder.encode('identity')
export const SNAPSHOT_KEY = encoder.encode('snapshot')
export const HEAD_KEYS = [encoder.encode('head'), encoder.encode('head-again')] as const

/** What is on disk beside the entries. */
export interface LogState {
  readonly identity: LogIdentity
  readonly head: Head
  readonly snapshot: SnapshotMeta
}

/**
 * @returns undefined for an empty store
 * @throws {CodedError} E_CELL_LOG_CORRUPT, also for a half-written store; E_DATA_VERSION
 */
export async function readState(meta: Sublevel, entries: Sublevel): Promise<LogState | undefined> {
  const records = await reading(() =>
    Promise.all([IDENTITY_KEY, SNAPSHOT_KEY, ...HEAD_KEYS].map((key) => meta.get(key))),
  )
  const [identity, snapshot, one, two] = records
  if (records.every((record) => record === undefined) && (await isEmpty(entries))) return undefined
  if (identity === undefined || snapshot === undefined || one === undefined || two === undefined) {
    // They are written in one batch: a store that has some of them was not left so by us.
    throw corruptLog('it is half-written, some of its first records are missing')
  }
  checkVersion(identity)
  const state = {
    identity: identityFormat.decode(IDENTITY_KEY, identity),
    snapshot: snapshotFormat.decode(SNAPSHOT_KEY, snapshot),
    head: headFormat.decode(HEAD_KEYS[0], one),
  }
  checkHead(state, headFormat.decode(HEAD_KEYS[1], two))
  return state
}

/**
 * Proves the entries: each follows on the one before, the first on the snapshot, and they end as the head says.
 *
 * @throws {CodedError} E_CELL_LOG_CORRUPT
 */
export async function readEntries(store: Sublevel, head: Head): Promise<Entry[]> {
  const entries: Entry[] = []
  let previousTerm = head.snapshotTerm
  await reading(async () => {
    // What lies before is covered by the snapshot and not yet deleted.
    for await (const [key, value] of store.entries({ gte: entryKey(head.snapshotIndex + 1) })) {
      const index = head.snapshotIndex + 1 + entries.length
      checkPlace(indexOfKey(key), index, head.last)
      const record = entryFormat.decode(entryKey(index), value)
      if (record.index !== index || record.previousTerm !== previousTerm || record.term < previousTerm) {
        throw corruptLog(`entry ${index} does not follow on what is before it`)
      }
      previousTerm = record.term
      entries.push({ index, term: record.term, kind: record.kind, data: record.data })
    }
  })
  const last = head.snapshotIndex + entries.length
  if (last !== head.last) throw corruptLog(`it ends at entry ${last}, ${head.last} was written`)
  if (previousTerm !== head.lastTerm) throw corruptLog(`its last entry has term ${previousTerm}, not ${head.lastTerm}`)
  return entries
}

/** @returns why no Raft log can look like this, undefined when one can */
export function findNonsense(head: Head): string | undefined {
  const { last, lastTerm, term, commit, snapshotIndex, snapshotTerm } = head
  if (last < snapshotIndex) return `it ends at ${last}, before its snapshot at ${snapshotIndex}`
  if (lastTerm < snapshotTerm) return `its last term ${lastTerm} is before the snapshot’s ${snapshotTerm}`
  if (lastTerm > term) return `its last entry has term ${lastTerm}, its hard state ${term}`
  if (commit > last) return `it commits ${commit} and ends at ${last}`
  if (commit < snapshotIndex) return `it commits ${commit}, its snapshot is at ${snapshotIndex}`
  return undefined
}

function checkVersion(record: Uint8Array): void {
  const { version } = versionFormat.decode(IDENTITY_KEY, record)
  if (version <= LOG_VERSION) return
  throw new CodedError(
    'E_DATA_VERSION',
    `the Raft log was written by a newer release (version ${version}, this one reads up to ${LOG_VERSION})`,
    { hint: 'install that release again; data is never downgraded' },
  )
}

function checkHead({ head, snapshot }: LogState, again: Head): void {
  if (JSON.stringify(head) !== JSON.stringify(again)) throw corruptLog('the two copies of its head differ')
  if (snapshot.index !== head.snapshotIndex || snapshot.term !== head.snapshotTerm) {
    throw corruptLog(`its snapshot is at ${snapshot.index}, its head says ${head.snapshotIndex}`)
  }
  const nonsense = findNonsense(head)
  if (nonsense !== undefined) throw corruptLog(nonsense)
}

function checkPlace(found: number, index: number, last: number): void {
  if (index > last) throw corruptLog(`there is an entry ${found} after its end at ${last}`)
  if (found !== index) throw corruptLog(`entry ${found} lies where ${index} belongs`)
}

async function isEmpty(store: Sublevel): Promise<boolean> {
  return reading(async () => {
    for await (const _ of store.keys({ limit: 1 })) return false
    return true
  })
}

/** The database’s own advice, to restore a backup, is the one thing that must not be done with a Raft log. */
async function reading<T>(read: () => Promise<T>): Promise<T> {
  try {
    return await read()
  } catch (error) {
    throw error instanceof CodedError && error.code === 'E_STORAGE_CORRUPT' ? corruptLog(error.message, error) : error
  }
}
