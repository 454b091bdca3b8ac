import { CID } from 'multiformats/cid'
import { CodedError, codeOf } from '../../../protocols/shared/errors.ts'
import { RetryTimes, TaskQueue } from './queue.ts'
import { isForGood, reasonOf } from './reasons.ts'
import { newTask, trackedOf, type Aim, type Running, type Task } from './task.ts'
import { TRACKER_LIMITS, type Tracked, type TrackerInit, type TrackerLimits, type Wanted } from './types.ts'

const LOOK_MS = 500

/**
 * Brings what this node holds to what it is to hold: fetches and pins, unpins, tries again later.
 *
 * Only what is not yet as it should be is in memory. New pins come before those that have failed, which have few places;
 * a pin to which no block comes gives its place to the next and goes on waiting, up to a number: then the one that has
 * waited longest ends and is tried again later. So however much cannot be had, what can be is fetched.
 */
export class Tracker {
  readonly #init: TrackerInit
  readonly #limits: TrackerLimits
  readonly #now: () => number
  readonly #tasks = new Map<string, Task>()
  readonly #fresh = new TaskQueue()
  readonly #again = new TaskQueue()
  readonly #unpins = new TaskQueue()
  readonly #retries = new RetryTimes()
  readonly #running = new Set<Task>()
  readonly #ends = new Set<Promise<void>>()
  #timer: NodeJS.Timeout | undefined
  #isStopped = false

  constructor(init: TrackerInit) {
    this.#init = init
    this.#limits = { ...TRACKER_LIMITS, ...init.limits }
    this.#now = init.now ?? Date.now
  }

  /** This node is to hold it. Of what it holds already nothing is done. */
  want(pin: Wanted): void {
    this.#aim(pin, 'pin')
  }

  /** This node is to hold it no more. */
  drop(cid: string): void {
    this.#aim(this.#tasks.get(cid)?.pin ?? { cid, mode: 'recursive', priority: 0, origins: [] }, 'unpin')
  }

  /** @returns undefined when all is as it was last wanted */
  statusOf(cid: string): Tracked | undefined {
    const task = this.#tasks.get(cid)
    return task && trackedOf(task, this.#now())
  }

  /** CIDs of what is under way or failed. */
  cids(): Iterable<string> {
    return this.#tasks.keys()
  }

  /** How many are in each status. */
  counts(): Partial<Record<Tracked['status'], number>> {
    const counts: Partial<Record<Tracked['status'], number>> = {}
    for (const task of this.#tasks.values()) {
      const { status } = trackedOf(task, 0)
      counts[status] = (counts[status] ?? 0) + 1
    }
    return counts
  }

  /** Tries again at once what has failed: one, or all. @returns how many */
  recover(cid?: string): number {
    const tasks = cid === undefined ? [...this.#tasks.values()] : [this.#tasks.get(cid)]
    const failed = tasks.filter((task) => task?.state === 'failed') as Task[]
    for (const task of failed) {
      this.#retries.delete(task)
      task.attempts = 0
      this.#enqueue(task)
    }
    this.#pump()
    return failed.length
  }

  /** Resolves when all that is to be held no more now is, or has failed. */
  async unpinned(): Promise<void> {
    const isDue = ({ aim, state }: Task): boolean => aim === 'unpin' && state !== 'failed'
    const due = [...this.#tasks.values()].filter(isDue)
    for (let task = due.pop(); task !== undefined; task = due.pop())
      while (this.#tasks.get(task.pin.cid) === task && isDue(task) && this.#ends.size > 0)
        await Promise.race(this.#ends)
  }

  /** Ends what runs; what was wanted is wanted again by the next start. */
  async stop(): Promise<void> {
    this.#isStopped = true
    clearInterval(this.#timer)
    for (const { running } of this.#running)
      running?.controller.abort(new CodedError('E_STOPPING', 'the node is stopping'))
    await Promise.all(this.#ends)
  }

  #aim(pin: Wanted, aim: Aim): void {
    if (this.#isStopped) return
    if (aim === 'pin') this.#init.pins.expect?.(pin.cid)
    const task = this.#tasks.get(pin.cid)
    if (task === undefined) {
      const made = newTask(pin, aim, this.#now())
      this.#tasks.set(pin.cid, made)
      this.#enqueue(made)
    } else {
      this.#redirect(task, pin, aim)
    }
    this.#pump()
  }

  #redirect(task: Task, pin: Wanted, aim: Aim): void {
    const isSame = task.aim === aim && task.pin.mode === pin.mode
    this.#forgetPlace(task)
    task.pin = pin
    task.aim = aim
    if (task.running === undefined) {
      if (!isSame) task.attempts = 0
      this.#enqueue(task)
    } else if (!isSame) {
      // It is queued again when it has ended.
      task.running.controller.abort(new CodedError('E_ABORTED', 'wanted otherwise meanwhile'))
    }
  }

  #forgetPlace(task: Task): void {
    this.#retries.delete(task)
    task.retryAt = undefined
    for (const queue of [this.#fresh, this.#again, this.#unpins]) if (queue.delete(task)) return
  }

  #enqueue(task: Task): void {
    this.#enter(task, 'queued')
    task.retryAt = undefined
    const pins = task.attempts > 0 ? this.#again : this.#fresh
    ;(task.aim === 'unpin' ? this.#unpins : pins).add(task)
  }

  #enter(task: Task, state: Task['state']): void {
    task.state = state
    task.since = this.#now()
    this.#init.onChange?.(task.pin.cid)
  }

  #pump(): void {
    if (this.#isStopped) return
    for (let task = this.#next(); task !== undefined; task = this.#next()) this.#start(task)
    this.#keepLooking()
  }

  #next(): Task | undefined {
    const { active, again, unpins } = this.#limits
    const places = { unpins, active, again }
    for (const { running, attempts } of this.#running) {
      if (running!.aim === 'unpin') places.unpins -= 1
      else if (!running!.isPatient) {
        places.active -= 1
        if (attempts > 0) places.again -= 1
      }
    }
    const unpin = places.unpins > 0 ? this.#unpins.take() : undefined
    if (unpin !== undefined || places.active <= 0) return unpin
    return this.#fresh.take() ?? (places.again > 0 ? this.#again.take() : undefined)
  }

  #start(task: Task): void {
    const now = this.#now()
    const controller = new AbortController()
    const running: Running = {
      aim: task.aim,
      controller,
      startedAt: now,
      movedAt: now,
      isPatient: false,
      progress: undefined,
      problem: undefined,
    }
    task.running = running
    this.#running.add(task)
    this.#enter(task, 'running')
    const end = this.#run(task, running).finally(() => {
      this.#ends.delete(end)
      this.#pump()
    })
    this.#ends.add(end)
  }

  async #run(task: Task, running: Running): Promise<void> {
    const { mode } = task.pin
    let failure: { error: unknown } | undefined
    try {
      await (running.aim === 'pin' ? this.#pin(task, running) : this.#init.pins.unpin(CID.parse(task.pin.cid)))
    } catch (error) {
      failure = { error }
    }
    task.running = undefined
    this.#running.delete(task)
    // It may have ended before it heard that it is wanted otherwise.
    const isOther = task.aim !== running.aim || (task.aim === 'pin' && task.pin.mode !== mode)
    if (isOther || codeOf(failure?.error) === 'E_ABORTED') this.#enqueue(task)
    else if (failure !== undefined) this.#fail(task, running, failure.error)
    else this.#done(task)
  }

  async #pin({ pin }: Task, running: Running): Promise<void> {
    const { pins, fetch } = this.#init
    await pins.pin(CID.parse(pin.cid), {
      mode: pin.mode,
      get: fetch(pin, (problem) => (running.problem = problem)),
      signal: running.controller.signal,
      onProgress: (progress) => {
        if (progress.blocks !== running.progress?.blocks) {
          running.movedAt = this.#now()
          running.problem = undefined
        }
        running.progress = progress
      },
    })
  }

  #done(task: Task): void {
    this.#tasks.delete(task.pin.cid)
    this.#init.onChange?.(task.pin.cid)
  }

  #fail(task: Task, running: Running, error: unknown): void {
    if (this.#isStopped) return
    task.failure = reasonOf(error, running.progress?.missing)
    task.attempts += 1
    if (!isForGood(task.failure)) {
      task.retryAt = this.#now() + this.#backoff(task.attempts)
      this.#retries.add(task, task.retryAt)
    }
    this.#enter(task, 'failed')
  }

  /** Between half of it and all: what failed together does not come back together. */
  #backoff(attempts: number): number {
    const { firstRetryMs, lastRetryMs } = this.#limits
    const random = this.#init.random ?? Math.random
    return Math.min(firstRetryMs * 2 ** Math.min(attempts - 1, 20), lastRetryMs) * (0.5 + random() / 2)
  }

  #keepLooking(): void {
    const isIdle = this.#running.size === 0 && this.#retries.isEmpty
    if (isIdle) {
      clearInterval(this.#timer)
      this.#timer = undefined
    } else {
      this.#timer ??= setInterval(() => this.look(), LOOK_MS).unref()
    }
  }

  /** What the timer does: finds what stalls and what is due. */
  look(): void {
    const now = this.#now()
    const patient: Task[] = []
    for (const task of this.#running) {
      const running = task.running!
      if (running.aim === 'pin' && now - running.movedAt >= this.#limits.stallMs) running.isPatient = true
      if (running.isPatient) patient.push(task)
    }
    patient.sort((one, other) => one.running!.movedAt - other.running!.movedAt)
    for (const { running } of patient.slice(0, Math.max(0, patient.length - this.#limits.patient)))
      running!.controller.abort(new CodedError('E_CONTENT_NOT_FOUND', 'no block of it came, and others wait'))
    for (const task of this.#retries.due(now)) this.#enqueue(task)
    this.#pump()
  }
}
