import type { Task } from './task.ts'

const PRIORITIES = 10

/** Tasks by priority, in each in the order in which they came. */
export class TaskQueue {
  readonly #classes = Array.from({ length: PRIORITIES }, () => new Set<Task>())
  #size = 0

  get size(): number {
    return this.#size
  }

  add(task: Task): void {
    this.#classes[task.pin.priority]!.add(task)
    this.#size += 1
  }

  /** @returns whether it was there */
  delete(task: Task): boolean {
    const isThere = this.#classes.some((tasks) => tasks.delete(task))
    if (isThere) this.#size -= 1
    return isThere
  }

  take(): Task | undefined {
    for (let at = PRIORITIES - 1; at >= 0; at--) {
      for (const task of this.#classes[at]!) {
        this.delete(task)
        return task
      }
    }
    return undefined
  }
}

/** Tasks that wait for their time, in steps of a second. */
export class RetryTimes {
  readonly #steps = new Map<number, Set<Task>>()

  add(task: Task, at: number): void {
    const step = Math.ceil(at / 1000)
    let tasks = this.#steps.get(step)
    if (tasks === undefined) this.#steps.set(step, (tasks = new Set()))
    tasks.add(task)
  }

  delete(task: Task): void {
    if (task.retryAt === undefined) return
    const step = Math.ceil(task.retryAt / 1000)
    const tasks = this.#steps.get(step)
    tasks?.delete(task)
    if (tasks?.size === 0) this.#steps.delete(step)
  }

  get isEmpty(): boolean {
    return this.#steps.size === 0
  }

  /** @returns those whose time has come; they wait no more */
  due(now: number): Task[] {
    const steps = [...this.#steps.keys()].filter((step) => step * 1000 <= now)
    return steps.flatMap((step) => {
      const tasks = [...this.#steps.get(step)!]
      this.#steps.delete(step)
      return tasks
    })
  }
}
