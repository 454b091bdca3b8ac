import { CodedError } from '../../protocols/shared/errors.ts'
import type { State } from './machine.ts'
import { appliedRecord, configurationRecord, counterRecord, formatRecord, KEY, STATE_FORMAT } from './records.ts'
import { EMPTY, get, set, type Tree } from './tree.ts'

/** Raft id of whoever founds a cell: the first member to join it gets this id, and votes alone until others join. */
export const FOUNDER_RAFT_ID = 1

/** The state of every cell before its first entry. */
export function initialState(): State {
  const written = [
    [KEY.format, formatRecord.encode(STATE_FORMAT)],
    [KEY.applied, appliedRecord.encode([0, 0, 0])],
    [
      KEY.configuration,
      configurationRecord.encode({ voters: [FOUNDER_RAFT_ID], learners: [], votersOutgoing: [], learnersNext: [] }),
    ],
    [KEY.nextRaftId, counterRecord.encode(FOUNDER_RAFT_ID)],
  ] as const
  return stateOf(written.reduce<Tree>((tree, [key, value]) => set(tree, key, value), EMPTY))
}

/**
 * The state that a tree holds: one read from disk, or a leader's.
 *
 * @throws {CodedError} E_STATE_FORMAT: not a state, or of another format; E_FRAME_SCHEMA: a record is damaged
 */
export function stateOf(tree: Tree): State {
  const format = get(tree, KEY.format)
  const applied = get(tree, KEY.applied)
  if (format === undefined || applied === undefined || formatRecord.decode(format) !== STATE_FORMAT)
    throw new CodedError('E_STATE_FORMAT', `the state of the cell is not of format ${STATE_FORMAT}`, {
      hint: 'run the release that wrote it, or a later one',
    })
  const [index, term, time] = appliedRecord.decode(applied)
  return { tree, applied: { index, term, time }, marks: [], attested: undefined }
}
