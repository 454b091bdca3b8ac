import { PIN_ROOM_BYTES, PIN_ROOM_STALL_MS } from './constants.ts'

/** Bytes that one block takes of the room. */
export interface Place {
  /** It turned out to have so many; nobody waits for that. */
  resize(bytes: number): void
  release(): void
}

export interface RoomInit {
  bytes: number
  /** A place whose block has not come for so long takes none: what nobody sends keeps no other from being fetched. */
  stallMs: number
}

/** Memory for the blocks that are under way, of all pins together: who comes when it is full waits, in order. */
export class Room {
  readonly #stallMs: number
  readonly #waiting = new Set<{ bytes: number; admit: () => void }>()
  #free: number

  constructor({ bytes = PIN_ROOM_BYTES, stallMs = PIN_ROOM_STALL_MS }: Partial<RoomInit> = {}) {
    this.#free = bytes
    this.#stallMs = stallMs
  }

  /** @param bytes - as many as the block is likely to have */
  async take(bytes: number, signal: AbortSignal): Promise<Place> {
    signal.throwIfAborted()
    if (this.#free > 0 && this.#waiting.size === 0) this.#free -= bytes
    else await this.#turn(bytes, signal)
    return this.#place(bytes)
  }

  #place(taken: number): Place {
    let bytes = taken
    const set = (now: number): void => {
      this.#free += bytes - now
      bytes = now
      this.#admit()
    }
    const stalled = setTimeout(() => set(0), this.#stallMs).unref()
    const resize = (now: number): void => {
      clearTimeout(stalled)
      set(now)
    }
    return { resize, release: () => resize(0) }
  }

  #turn(bytes: number, signal: AbortSignal): Promise<void> {
    return new Promise<void>((resolve, reject) => {
      const leave = (): void => {
        this.#waiting.delete(waiting)
        reject(signal.reason as Error)
      }
      const admit = (): void => {
        signal.removeEventListener('abort', leave)
        resolve()
      }
      const waiting = { bytes, admit }
      this.#waiting.add(waiting)
      signal.addEventListener('abort', leave, { once: true })
    })
  }

  #admit(): void {
    for (const waiting of this.#waiting) {
      if (this.#free <= 0) return
      this.#waiting.delete(waiting)
      this.#free -= waiting.bytes
      waiting.admit()
    }
  }
}
