import type { FetchProblem } from '../../content/fetch-problem.ts'
import type { PinWalkProgress } from '../../content/pins/index.ts'
import type { PinReason } from '../../operations-pins.ts'
import type { Tracked, Wanted } from './types.ts'

export type Aim = 'pin' | 'unpin'

/** One pin on its way to be held, or to be held no more. */
export interface Task {
  pin: Wanted
  aim: Aim
  state: 'queued' | 'running' | 'failed'
  /** Unix milliseconds when the state was entered */
  since: number
  attempts: number
  failure: PinReason | undefined
  /** Unix milliseconds; undefined for what only a person can mend */
  retryAt: number | undefined
  running: Running | undefined
}

export interface Running {
  aim: Aim
  controller: AbortController
  startedAt: number
  /** when the last block came */
  movedAt: number
  /** has given its place to the next */
  isPatient: boolean
  progress: PinWalkProgress | undefined
  /** what holds up a block since the last one came */
  problem: FetchProblem | undefined
}

export function newTask(pin: Wanted, aim: Aim, now: number): Task {
  return {
    pin,
    aim,
    state: 'queued',
    since: now,
    attempts: 0,
    failure: undefined,
    retryAt: undefined,
    running: undefined,
  }
}

const WORDS = {
  pin: { queued: 'pin_queued', running: 'pinning', failed: 'pin_error' },
  unpin: { queued: 'unpin_queued', running: 'unpinning', failed: 'unpin_error' },
} as const

const WAITING: PinReason = { code: 'waiting', message: 'it waits for its turn' }

export function trackedOf({ pin, aim, state, since, attempts, failure, running }: Task, now: number): Tracked {
  const status = WORDS[aim][state]
  if (running === undefined) return { status, reason: failure ?? WAITING, attempts, since, progress: null }
  return { status, reason: reasonOfRunning(pin.cid, running, now), attempts, since, progress: progressOf(running, now) }
}

function progressOf({ progress, startedAt }: Running, now: number): Tracked['progress'] {
  if (progress === undefined) return null
  const { blocks, bytes, totalBytes } = progress
  return { blocks, bytes, totalBytes, bytesPerSecond: Math.round((bytes * 1000) / Math.max(1, now - startedAt)) }
}

function reasonOfRunning(
  root: string,
  { aim, progress, problem, isPatient, movedAt }: Running,
  now: number,
): PinReason | null {
  const lastBlockSecondsAgo = Math.round((now - movedAt) / 1000)
  if (problem !== undefined) return { ...problem, lastBlockSecondsAgo }
  // Before all else the root is fetched.
  const missing = progress === undefined && aim === 'pin' ? root : progress?.missing
  if (missing === undefined) return null
  const message = isPatient
    ? `waiting for block ${missing}; the last one came ${lastBlockSecondsAgo} s ago`
    : `fetching block ${missing}`
  return { code: isPatient ? 'stalled' : 'fetching', message, missing, lastBlockSecondsAgo }
}
