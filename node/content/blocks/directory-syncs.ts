import { syncDirectory } from '../../storage/files.ts'

/** All that is renamed in a directory while its sync runs shares the next one. */
export class DirectorySyncs {
  readonly #running = new Map<string, Promise<void>>()
  readonly #next = new Map<string, Promise<void>>()
  readonly #sync: (directory: string) => Promise<void>

  constructor(sync: (directory: string) => Promise<void> = syncDirectory) {
    this.#sync = sync
  }

  /** Resolves when a sync that began after this call has ended. */
  async sync(directory: string): Promise<void> {
    const running = this.#running.get(directory)
    if (running === undefined) return this.#start(directory)
    let next = this.#next.get(directory)
    if (next === undefined) {
      const start = (): Promise<void> => {
        this.#next.delete(directory)
        return this.#start(directory)
      }
      next = running.then(start, start)
      this.#next.set(directory, next)
    }
    await next
  }

  #start(directory: string): Promise<void> {
    const running = this.#sync(directory).finally(() => {
      if (this.#running.get(directory) === running) this.#running.delete(directory)
    })
    this.#running.set(directory, running)
    return running
  }
}
