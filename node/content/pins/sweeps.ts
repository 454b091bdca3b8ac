import { setTimeout as rest } from 'node:timers/promises'
import { codeOf } from '../../../protocols/shared/errors.ts'
import type { GcRow } from '../../operations-repo.ts'
import type { PinStore } from './types.ts'

/** Pins that wait for room go on after so many bytes, while the sweep goes on, too. */
const ENOUGH_BYTES = 16 * 1_048_576
/** After a sweep that found nothing. */
const AGAIN_MS = 60_000
/** While an operator's own sweep runs. */
const RUNNING_MS = 500

export interface SweepsInit {
  gc: () => AsyncIterable<GcRow>
  store: Pick<PinStore, 'usedBytes'>
  /** Of what pins hold. */
  stat: () => Promise<{ bytes: number }>
  now: () => number
}

/** One sweep at a time for all pins that find the store full: what is pinned comes before what nothing holds. */
export class Sweeps {
  readonly #init: SweepsInit
  #running: Promise<void> | undefined
  #progress = Promise.withResolvers<boolean>()
  #notBefore = -Infinity

  constructor(init: SweepsInit) {
    this.#init = init
  }

  /** @returns whether there is more room now */
  async makeRoom(): Promise<boolean> {
    if (this.#running === undefined) {
      if (this.#init.now() < this.#notBefore || !(await this.#isWorthIt())) return false
      this.#running ??= this.#sweep()
    }
    return this.#progress.promise
  }

  /** Resolves when none runs. */
  async settled(): Promise<void> {
    await this.#running
  }

  /** There are blocks that no pin holds, though leases may. */
  async #isWorthIt(): Promise<boolean> {
    const { store, stat } = this.#init
    return ((await store.usedBytes?.()) ?? 0) > (await stat()).bytes
  }

  async #sweep(): Promise<void> {
    let told = 0
    let freed = 0
    try {
      for await (const row of this.#init.gc()) {
        freed = row.freedBytes
        if (freed - told < ENOUGH_BYTES) continue
        told = freed
        this.#tell(true)
      }
    } catch (error) {
      // That one makes room, too.
      if (codeOf(error) === 'E_GC_RUNNING') {
        await rest(RUNNING_MS)
        return this.#end(true)
      }
    }
    if (freed === 0) this.#notBefore = this.#init.now() + AGAIN_MS
    this.#end(freed > told)
  }

  /** Whoever comes from now on waits for another one. */
  #end(isRoom: boolean): void {
    this.#running = undefined
    this.#tell(isRoom)
  }

  #tell(isRoom: boolean): void {
    this.#progress.resolve(isRoom)
    this.#progress = Promise.withResolvers()
  }
}
