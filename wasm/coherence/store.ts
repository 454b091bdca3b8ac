import type { Floats, KernelArray } from './arrays.ts'
import type { Engine } from './engine.ts'
import { isRefusal, KernelError, require } from './errors.ts'

type Values = Floats | Int32Array
export type Kind = 'f64' | 'f32' | 'i32'
interface Kinds {
  f64: Float64Array
  f32: Float32Array
  i32: Int32Array
}

export const TYPES = { f64: Float64Array, f32: Float32Array, i32: Int32Array } as const
const EXPORTS = { f64: 'F64Array', f32: 'F32Array', i32: 'I32Array' } as const
export const MAX_VALUES = 2 ** 27

/** An object of wasm's. */
export interface Handle {
  free(): void
}

/** What went wrong below the kernels; TypeScript works on from here. */
export interface KernelFault {
  readonly kind: 'load' | 'trap'
  readonly engine: Engine['name']
  readonly cause: unknown
}

/**
 * The memory of one set of kernels, and the way into wasm. After a trap the instance is never entered again, but its
 * memory is still there: arrays and states stay what they are, and TypeScript goes on with them.
 */
export class Store {
  /** What does the work; undefined for TypeScript. */
  engine: Engine | undefined
  faults = 0
  readonly #handles = new Set<Handle>()
  readonly #onFault: (fault: KernelFault) => void

  constructor(onFault: (fault: KernelFault) => void) {
    this.#onFault = onFault
  }

  /** @returns what the kernel returns; the twin's when the kernel traps or there is none */
  run<R>(kernel: (glue: Engine['glue']) => R, twin: () => R): R {
    const { engine } = this
    if (engine === undefined) return twin()
    try {
      return kernel(engine.glue)
    } catch (thrown) {
      if (isRefusal(thrown)) throw new KernelError(thrown)
      this.engine = undefined
      this.#abandon()
      this.fault({ kind: 'trap', engine: engine.name, cause: thrown })
      return twin()
    }
  }

  /** Keeps an object of wasm's until it is freed: were it collected, views of its memory would be of someone else's. */
  hold<H extends Handle>(handle: H): H {
    this.#handles.add(handle)
    return handle
  }

  release(handle: Handle | undefined): void {
    if (handle === undefined || !this.#handles.delete(handle)) return
    this.run(
      () => handle.free(),
      () => undefined,
    )
  }

  // The glue's own unregistering: collected later, the objects would call into the instance that trapped.
  #abandon(): void {
    for (const handle of this.#handles) (handle as unknown as { __destroy_into_raw(): number }).__destroy_into_raw()
    this.#handles.clear()
  }

  fault(fault: KernelFault): void {
    this.faults += 1
    this.#onFault(fault)
  }

  allocate<K extends Kind>(kind: K, length: number): StoredArray<Kinds[K]> {
    require(Number.isInteger(length) && length >= 0, 'E_KERNEL_RANGE')
    require(length <= MAX_VALUES, 'E_KERNEL_MEMORY')
    const { engine } = this
    return this.run<StoredArray<Values>>(
      (glue) => {
        const handle = this.hold(new glue[EXPORTS[kind]](length))
        const pointer = handle.pointer
        const view = () => new TYPES[kind](engine!.memory.buffer, pointer, length)
        return new StoredArray(this, kind, view, handle)
      },
      () => new StoredArray(this, kind, constant(zeros(kind, length))),
    ) as StoredArray<Kinds[K]>
  }
}

/** @throws KernelError E_KERNEL_MEMORY */
export function zeros<K extends Kind>(kind: K, length: number): Kinds[K] {
  try {
    return new TYPES[kind](length) as Kinds[K]
  } catch {
    throw new KernelError('E_KERNEL_MEMORY')
  }
}

function constant<T>(value: T): () => T {
  return () => value
}

/** Values in wasm's memory, or of our own. */
export class StoredArray<A extends Values> implements KernelArray<A> {
  readonly kind: Kind
  readonly length: number
  readonly #store: Store
  readonly #view: () => A
  readonly #handle: Handle | undefined
  #values: A | undefined

  constructor(store: Store, kind: Kind, view: () => A, handle?: Handle) {
    this.#store = store
    this.kind = kind
    this.#view = view
    this.#handle = handle
    this.#values = view()
    this.length = this.#values.length
  }

  get values(): A {
    require(this.#values !== undefined, 'E_KERNEL_ARRAY')
    // Memory that grew leaves a view without its buffer.
    if (this.#values.length !== this.length) this.#values = this.#view()
    return this.#values
  }

  /** Wasm's object for it, undefined in TypeScript. @throws KernelError E_KERNEL_ARRAY when freed, or of another store */
  handleIn(store: Store): Handle | undefined {
    require(this.#values !== undefined && this.#store === store, 'E_KERNEL_ARRAY')
    return this.#handle
  }

  free(): void {
    if (this.#values === undefined) return
    this.#values = undefined
    this.#store.release(this.#handle)
  }
}
