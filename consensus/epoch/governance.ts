import { equalBytes } from '../light/bytes.ts'
import type { Validator } from '../mesh/engine.ts'
import { changed } from './changes.ts'
import { digestOf } from './cid.ts'
import { openCommand } from './command-codec.ts'
import { Draft } from './draft.ts'
import { MAX_MOTIONS, MAX_MOTIONS_OF_CELL, MAX_MOTION_HEIGHTS, MOVE_WINDOW } from './limits.ts'
import { DOMAIN, type Signatures } from './signed-bytes.ts'
import type { Ballot, MeshState, Motion, Move } from './types.ts'
import { inOrder, includesKey, isOneHonest, isQuorum, powerOf, totalPower } from './validators.ts'

/** @returns a code when the command is not taken: what a person who submits it learns before it travels */
export function checkGovernance(state: MeshState, bytes: Uint8Array, signatures: Signatures): string | undefined {
  return applyCommand(new Draft(state), bytes, signatures)
}

/** One signed command of a validator that decides this epoch. @returns a code when it is not taken */
export function applyCommand(draft: Draft, bytes: Uint8Array, signatures: Signatures): string | undefined {
  const opened = openCommand(draft.before.mesh, bytes)
  if (typeof opened === 'string') return opened
  const { command, body, signature } = opened
  // First: whoever makes keys up would have each of them checked.
  if (powerOf(draft.before.validators, command.by) === 0) return 'E_GOVERNANCE_STRANGER'
  if (!signatures.verify(command.by, DOMAIN.governance, body, signature)) return 'E_GOVERNANCE_SIGNATURE'
  return command.kind === 'move' ? move(draft, command, digestOf(body), signatures) : vote(draft, command)
}

function move(draft: Draft, { by, at, change, expires, effectiveAt }: Move, id: Uint8Array, signatures: Signatures) {
  const { height, motions } = draft
  if (at >= height || height > at + MOVE_WINDOW) return 'E_GOVERNANCE_WINDOW'
  if (motions.some((motion) => equalBytes(motion.id, id))) return 'E_GOVERNANCE_KNOWN'
  const last = height + MAX_MOTION_HEIGHTS
  if (expires <= height || expires > last || effectiveAt > last) return 'E_GOVERNANCE_HEIGHT'
  const cell = draft.ownerOf(by)?.cell
  const ofCell = motions.filter((motion) => draft.ownerOf(motion.by)?.cell === cell)
  if (motions.length >= MAX_MOTIONS || ofCell.length >= MAX_MOTIONS_OF_CELL) return 'E_GOVERNANCE_MOTIONS'
  const result = changed(draft, change, signatures)
  if (typeof result === 'string') return result
  const motion = { id, change, by, opened: height, expires, effectiveAt, yes: [by], no: [], carried: undefined }
  draft.motions = [...motions, motion]
  return undefined
}

function vote(draft: Draft, { by, motion: id, yes }: Ballot): string | undefined {
  const motion = draft.motions.find((each) => equalBytes(each.id, id))
  if (motion === undefined) return 'E_GOVERNANCE_MOTION'
  if (!isOpen(motion, draft.height)) return 'E_GOVERNANCE_CLOSED'
  if (includesKey(motion.yes, by) || includesKey(motion.no, by)) return 'E_GOVERNANCE_VOTED'
  const voted = yes ? { yes: inOrder([...motion.yes, by]) } : { no: inOrder([...motion.no, by]) }
  draft.motions = draft.motions.map((each) => (each === motion ? { ...motion, ...voted } : each))
  return undefined
}

/** Whether votes on it are taken in a block of this height. */
export function isOpen({ carried, expires }: Motion, height: number): boolean {
  return carried === undefined && height <= expires
}

/** @returns height from which a carried motion holds; undefined while it is not carried */
export function holdsFrom({ carried, effectiveAt }: Motion): number | undefined {
  return carried === undefined ? undefined : Math.max(effectiveAt, carried + 2)
}

/** Counts the votes by the power that decides this epoch, and does what is due. */
export function tally(draft: Draft, signatures: Signatures): void {
  const { validators } = draft.before
  draft.motions = draft.motions.map((motion) => counted(motion, draft.height, validators))
  for (const motion of draft.motions) if (isDue(motion, draft.height)) carryOut(draft, motion, signatures)
  draft.motions = draft.motions.filter((motion) => isKept(motion, draft.height))
}

function counted(motion: Motion, height: number, validators: readonly Validator[]): Motion {
  if (!isOpen(motion, height)) return motion
  const current = (keys: readonly Uint8Array[]) => keys.filter((key) => powerOf(validators, key) > 0)
  const [yes, no] = [current(motion.yes), current(motion.no)]
  const power = (keys: readonly Uint8Array[]) => keys.reduce((sum, key) => sum + powerOf(validators, key), 0)
  const total = totalPower(validators)
  if (isQuorum(power(yes), total)) return { ...motion, yes, no, carried: height }
  return { ...motion, yes, no, expires: isOneHonest(power(no), total) ? height : motion.expires }
}

/** A set made in this epoch decides two later, a policy holds in the next. */
function isDue(motion: Motion, height: number): boolean {
  const from = holdsFrom(motion)
  return from !== undefined && from - (motion.change.type === 'policy-set' ? 1 : 2) === height
}

/** What was possible when it was moved may not be any more: then nothing changes. */
function carryOut(draft: Draft, { change }: Motion, signatures: Signatures): void {
  const result = changed(draft, change, signatures)
  if (typeof result === 'string') return
  draft.operators = result.operators
  draft.policy = result.policy
}

/** Whether, after the epoch of this height, it is still voted on, or carried and not in effect yet. */
export function isPending(motion: Motion, height: number): boolean {
  return motion.carried === undefined ? isOpen(motion, height + 1) : holdsFrom(motion)! > height
}

/** Also as long as the command that moved it could be brought in again. */
function isKept(motion: Motion, height: number): boolean {
  return isPending(motion, height) || height < motion.opened + MOVE_WINDOW
}
