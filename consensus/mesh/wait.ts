import type { Clock } from './ports.ts'

/** One wait at a time, that may be ended before it is over. */
export class Wait {
  readonly #clock: Clock
  #end = () => {}

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** @param ms - undefined waits until {@link Wait.end} */
  async for(ms: number | undefined): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>()
    const cancel = ms === undefined ? () => {} : this.#clock.after(ms, resolve)
    this.#end = () => {
      cancel()
      resolve()
    }
    await promise
  }

  end(): void {
    this.#end()
  }
}
