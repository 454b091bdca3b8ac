import { ByteReader, ByteWriter } from './raft/bytes.ts'

/** What the glue of every engine that takes inputs has (`crates/wire/src/face.rs`). */
interface EngineGlue {
  /** @returns an address, 0 when that is too much */
  room(length: number): number
  effects(): number
}

const ROOM = 4096

/** The memory of an engine's instance: where inputs are written, and effects read. */
export class EngineMemory {
  /** begins anew for each input */
  readonly writer: ByteWriter
  readonly #reader = new ByteReader()
  readonly #glue: EngineGlue
  readonly #memory: WebAssembly.Memory
  #bytes: Uint8Array<ArrayBuffer>

  /** @param refusal - thrown for an input that the engine makes no room for */
  constructor(glue: EngineGlue, memory: WebAssembly.Memory, refusal: () => Error) {
    this.#glue = glue
    this.#memory = memory
    this.#bytes = new Uint8Array(memory.buffer)
    this.writer = new ByteWriter(ROOM, (capacity) => {
      const at = glue.room(capacity)
      if (at === 0) throw refusal()
      return { bytes: this.#now, at, capacity }
    })
  }

  /** Of the last input, until the next. */
  get effects(): ByteReader {
    return this.#reader.begin(this.#now, this.#glue.effects())
  }

  /** When memory grows, its old view is empty. */
  get #now(): Uint8Array<ArrayBuffer> {
    if (this.#bytes.byteLength === 0) this.#bytes = new Uint8Array(this.#memory.buffer)
    return this.#bytes
  }
}
