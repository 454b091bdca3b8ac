import type { Configuration, Entry } from '../cell/engine.ts'
import { attestEpoch } from './attested.ts'
import { issueCertificate, revokeCertificate } from './certificates.ts'
import { readCommand, type Command } from './commands.ts'
import { Draft, type StateChange } from './draft.ts'
import { setLabel } from './labels.ts'
import { CHECKPOINT_INTERVAL, KEPT_MARKS, MAX_ENTRIES } from './limits.ts'
import { joinMember, leaveMember, promoteMember, removeMember } from './members.ts'
import { expirePins, movePin, replacePin, setPins, unsetPin } from './pins.ts'
import { appliedRecord, configurationRecord, KEY, type AppliedMark, type Result } from './records.ts'
import { drainMember, setSpace } from './seats.ts'
import { knownResult, rememberResult } from './sessions.ts'
import { root, type Tree } from './tree.ts'

/** Room is left for the sessions and for what shuts somebody out. */
const FULL = MAX_ENTRIES - 131_072

/** A state to compare with. Not part of the state: a node that has just started has none. */
export interface Mark {
  readonly index: number
  readonly tree: Tree
}

/** Everything that a cell has agreed on is in `tree`, so its root covers all of it; the rest follows from it. */
export interface State {
  readonly tree: Tree
  readonly applied: AppliedMark
  readonly marks: readonly Mark[]
  /** the state that the last attestation speaks of: with its own entry applied, and no later one */
  readonly attested: Mark | undefined
}

/**
 * Why this node must stop: E_COMMAND_VERSION, a command of a later release; E_STATE_DIVERGED, its state is not the one
 * that a checkpoint names; E_STATE_ORDER, the entry does not follow the last, or a change came without its configuration.
 */
export type Halt = 'E_COMMAND_VERSION' | 'E_STATE_DIVERGED' | 'E_STATE_ORDER'

export interface Outcome {
  /** with `halt` as it was before */
  readonly state: State
  /** `undefined` for an empty entry, a change, or bytes that are no command */
  readonly commandId: string | undefined
  readonly result: Result | undefined
  /** to be written in one transaction; each key once */
  readonly changes: readonly StateChange[]
  readonly halt: Halt | undefined
}

/**
 * Applies one committed entry: the same state and entry give the same outcome on every node.
 *
 * @param configuration - what a `change` entry has led to
 * @throws {CodedError} E_FRAME_SCHEMA or the like when a record of the state is damaged: the node must stop
 */
export function applyEntry(state: State, entry: Entry, configuration?: Configuration): Outcome {
  if (entry.index !== state.applied.index + 1) return halted(state, 'E_STATE_ORDER')
  if (entry.kind === 'change') return applyChange(state, entry, configuration)
  if (entry.data.byteLength === 0) return finish(state, entry, draftOf(state, entry))
  const read = readCommand(entry.data)
  if ('command' in read) return applyCommand(state, entry, read.command)
  if (read.refused === 'E_COMMAND_VERSION') return halted(state, read.refused)
  return finish(state, entry, draftOf(state, entry), { result: { ok: false, code: read.refused } })
}

function applyChange(state: State, entry: Entry, configuration: Configuration | undefined): Outcome {
  if (configuration === undefined) return halted(state, 'E_STATE_ORDER')
  const { voters, learners, votersOutgoing, learnersNext } = configuration
  const draft = draftOf(state, entry)
  const sorted = (ids: readonly number[]): number[] => [...ids].sort((a, b) => a - b)
  draft.set(KEY.configuration, configurationRecord, {
    voters: sorted(voters),
    learners: sorted(learners),
    votersOutgoing: sorted(votersOutgoing),
    learnersNext: sorted(learnersNext),
  })
  return finish(state, entry, draft)
}

function applyCommand(state: State, entry: Entry, command: Command): Outcome {
  const draft = draftOf(state, entry, command.time)
  const known = knownResult(draft, command)
  if (known !== undefined) return finish(state, entry, draft, { commandId: command.id, result: known })
  // A checkpoint's result is the same everywhere, and only who differs stops: else to compare would make states differ.
  if (command.type === 'checkpoint' && differs(state, command)) return halted(state, 'E_STATE_DIVERGED', command.id)
  const result = isRefusedFull(draft, command)
    ? ({ ok: false, code: 'E_STATE_FULL' } as const)
    : perform(draft, command)
  rememberResult(draft, command, result)
  const after = finish(state, entry, draft, { commandId: command.id, result })
  return command.type === 'epoch-attest' && result.ok ? withAttested(after) : after
}

function withAttested({ state, ...rest }: Outcome): Outcome {
  const { applied, tree } = state
  return { ...rest, state: { ...state, attested: { index: applied.index, tree } } }
}

/** A refusal changes nothing but what time has made void. */
function perform(draft: Draft, command: Command): Result {
  switch (command.type) {
    case 'member-join':
      return joinMember(draft, command)
    case 'member-promoted':
      return promoteMember(draft, command)
    case 'member-remove':
      return removeMember(draft, command)
    case 'certificate-issue':
      return issueCertificate(draft, command)
    case 'certificate-revoke':
      return revokeCertificate(draft, command)
    case 'label-set':
      return setLabel(draft, command)
    case 'pin-set':
      return setPins(draft, command)
    case 'pin-unset':
      return unsetPin(draft, command)
    case 'pin-replace':
      return replacePin(draft, command)
    case 'pin-move':
      return movePin(draft, command)
    case 'pins-expire':
      return expirePins(draft, command)
    case 'space-set':
      return setSpace(draft, command)
    case 'member-drain':
      return drainMember(draft, command)
    case 'member-leaving':
      return leaveMember(draft, command)
    case 'epoch-attest':
      return attestEpoch(draft, command)
    case 'checkpoint':
    case 'noop':
      return { ok: true }
  }
}

/** What shuts somebody out is never refused for want of room. */
function isRefusedFull(draft: Draft, command: Command): boolean {
  return draft.size >= FULL && grows(command)
}

function grows(command: Command): boolean {
  if (command.type === 'pin-set' || command.type === 'pin-replace') return true
  if (command.type === 'label-set') return command.value !== null
  return command.type === 'member-join' || command.type === 'certificate-issue'
}

function differs({ marks }: State, command: { index: number; root: Uint8Array }): boolean {
  const mark = marks.find(({ index }) => index === command.index)
  return mark !== undefined && Buffer.compare(root(mark.tree).bytes, command.root) !== 0
}

function draftOf({ tree, applied }: State, { index }: Entry, time = 0): Draft {
  return new Draft(tree, index, Math.max(applied.time, time))
}

function finish(
  { marks, attested }: State,
  { index, term }: Entry,
  draft: Draft,
  told: { commandId?: string; result?: Result } = {},
): Outcome {
  const applied = { index, term, time: draft.time }
  draft.set(KEY.applied, appliedRecord, [index, term, draft.time])
  const { tree, changes } = draft
  const kept = index % CHECKPOINT_INTERVAL === 0 ? [...marks, { index, tree }].slice(-KEPT_MARKS) : marks
  const state = { tree, applied, marks: kept, attested }
  return { state, commandId: told.commandId, result: told.result, changes, halt: undefined }
}

function halted(state: State, halt: Halt, commandId?: string): Outcome {
  return { state, commandId, result: { ok: false, code: halt }, changes: [], halt }
}
