import type * as Glue from '../modules/coherence.js'
import type { Floats } from './arrays.ts'
import { fits } from './arrays.ts'
import type { Engine } from './engine.ts'
import { require } from './errors.ts'
import type { GoertzelBank, LeakyBank, Precision } from './kernels.ts'
import { type Handle, MAX_VALUES, type Store, type StoredArray, TYPES, zeros } from './store.ts'
import type { GoertzelBankParams } from './twin/goertzel.ts'
import { checkGoertzelBank, goertzelTransform } from './twin/goertzel.ts'
import type { LeakyBankParams, LeakyBankState } from './twin/leaky.ts'
import { advanceLeaky, checkLeakyBank, readLeaky, rememberLeaky } from './twin/leaky.ts'

const FORMS = { ref: 0, auto: 1, cyclic: 2 } as const

/** What a bank works on: its state is seen through views, whichever side holds it. */
interface Held<S, H> {
  readonly state: () => S
  readonly handle: (H & Handle) | undefined
}

/** Keeps the views of a bank's memory until that memory grows. */
function viewed<S>(memory: WebAssembly.Memory, make: (buffer: ArrayBuffer) => S): () => S {
  let buffer = memory.buffer
  let state = make(buffer)
  return () => {
    if (buffer !== memory.buffer) state = make((buffer = memory.buffer))
    return state
  }
}

type LeakyHandle = InstanceType<Engine['glue']['LeakyBankF64']>

/** @throws KernelError E_KERNEL_RANGE, E_KERNEL_MEMORY */
export function createLeakyBank(store: Store, params: LeakyBankParams, precision: Precision): LeakyBank {
  checkLeakyBank(params)
  require(params.streams * (params.maxSteps + (params.lag ?? 0)) <= MAX_VALUES, 'E_KERNEL_MEMORY')
  const { engine } = store
  const held = store.run(
    () => leakyInWasm(store, engine!, params, precision),
    () => leakyHere(params, precision),
  )
  return new StoredLeakyBank(store, { ...params }, held)
}

function leakyInWasm(store: Store, engine: Engine, params: LeakyBankParams, precision: Precision): HeldLeaky {
  const { form = 'ref', streams, maxSteps, omega, step, tau, lag = 0 } = params
  const Bank = precision === 'f64' ? engine.glue.LeakyBankF64 : engine.glue.LeakyBankF32
  const handle = store.hold(new Bank(FORMS[form], streams, maxSteps, lag, omega, step, tau))
  const { phases, past, t, sums } = handle
  const state = viewed(engine.memory, (buffer) => ({
    phases: new TYPES[precision](buffer, phases, streams * maxSteps),
    past: new TYPES[precision](buffer, past, streams * lag),
    t: new Float64Array(buffer, t, 2 * streams),
    sums: new TYPES[precision](buffer, sums, 2 * streams),
  }))
  return { state, handle }
}

type HeldLeaky = Held<LeakyBankState, LeakyHandle>

function leakyHere({ streams, maxSteps, lag = 0 }: LeakyBankParams, precision: Precision): HeldLeaky {
  const state = {
    phases: zeros(precision, streams * maxSteps),
    past: zeros(precision, streams * lag).fill(NaN),
    t: zeros('f64', 2 * streams),
    sums: zeros(precision, 2 * streams),
  }
  return { state: () => state, handle: undefined }
}

class StoredLeakyBank implements LeakyBank {
  count = 0
  readonly #store: Store
  readonly #params: LeakyBankParams
  readonly #saved: Pick<LeakyBankState, 't' | 'sums'>
  #held: HeldLeaky | undefined

  constructor(store: Store, params: LeakyBankParams, held: HeldLeaky) {
    this.#store = store
    this.#params = params
    this.#held = held
    const { t, sums } = held.state()
    this.#saved = { t: t.slice(), sums: sums.slice() }
  }

  get phases(): Floats {
    return this.#state.phases
  }

  get #state(): LeakyBankState {
    require(this.#held !== undefined, 'E_KERNEL_ARRAY')
    return this.#held.state()
  }

  advance(steps: number): void {
    const state = this.#state
    require(Number.isInteger(steps) && steps >= 0 && steps <= this.#params.maxSteps, 'E_KERNEL_LENGTH')
    this.#store.run(
      () => {
        // A trap in the middle of a row must not cost the rows before it: the twin starts this call again.
        this.#saved.t.set(state.t)
        this.#saved.sums.set(state.sums)
        try {
          this.#held!.handle!.advance(steps, this.count)
        } catch (thrown) {
          state.t.set(this.#saved.t)
          state.sums.set(this.#saved.sums)
          throw thrown
        }
      },
      () => advanceLeaky(this.#params, state, steps, this.count),
    )
    rememberLeaky(this.#params, state, steps)
    this.count += steps
  }

  read(re: Floats, im: Floats): void {
    const state = this.#state
    require(re !== im, 'E_KERNEL_ARRAY')
    require(fits(this.#params.streams, re, im), 'E_KERNEL_LENGTH')
    readLeaky(this.#params, state, this.count, re, im)
  }

  free(): void {
    this.#store.release(this.#held?.handle)
    this.#held = undefined
  }
}

interface GoertzelState {
  readonly values: Floats
  readonly re: Float64Array
  readonly im: Float64Array
}

type HeldGoertzel = Held<GoertzelState, InstanceType<Engine['glue']['GoertzelBankF64']>>

/** @throws KernelError E_KERNEL_RANGE, E_KERNEL_MEMORY */
export function createGoertzelBank(store: Store, params: GoertzelBankParams, precision: Precision): GoertzelBank {
  checkGoertzelBank(params)
  const { angles, maxValues } = params
  require(maxValues <= MAX_VALUES, 'E_KERNEL_MEMORY')
  // The glue would copy a plain list to where there is no memory for it, and trap.
  const listed = store.allocate('f64', angles.length)
  try {
    listed.values.set(angles)
    const held = store.run(
      () => goertzelInWasm(store, listed, maxValues, precision),
      () => goertzelHere(params, precision),
    )
    return new StoredGoertzelBank(store, { maxValues, angles: Float64Array.from(angles) }, held)
  } finally {
    listed.free()
  }
}

function goertzelInWasm(
  store: Store,
  angles: StoredArray<Float64Array>,
  maxValues: number,
  precision: Precision,
): HeldGoertzel {
  const { glue, memory } = store.engine!
  const Bank = precision === 'f64' ? glue.GoertzelBankF64 : glue.GoertzelBankF32
  const handle = store.hold(new Bank(angles.handleIn(store) as Glue.F64Array, maxValues))
  const { values, re, im } = handle
  const state = viewed(memory, (buffer) => ({
    values: new TYPES[precision](buffer, values, maxValues),
    re: new Float64Array(buffer, re, angles.length),
    im: new Float64Array(buffer, im, angles.length),
  }))
  return { state, handle }
}

function goertzelHere({ angles, maxValues }: GoertzelBankParams, precision: Precision): HeldGoertzel {
  const { length } = angles
  const state = { values: zeros(precision, maxValues), re: zeros('f64', length), im: zeros('f64', length) }
  return { state: () => state, handle: undefined }
}

class StoredGoertzelBank implements GoertzelBank {
  readonly #store: Store
  readonly #params: GoertzelBankParams
  #held: HeldGoertzel | undefined

  constructor(store: Store, params: GoertzelBankParams, held: HeldGoertzel) {
    this.#store = store
    this.#params = params
    this.#held = held
  }

  get values(): Floats {
    return this.#state.values
  }

  get re(): Float64Array {
    return this.#state.re
  }

  get im(): Float64Array {
    return this.#state.im
  }

  get #state(): GoertzelState {
    require(this.#held !== undefined, 'E_KERNEL_ARRAY')
    return this.#held.state()
  }

  transform(length: number): void {
    const state = this.#state
    require(fits(length, state.values), 'E_KERNEL_LENGTH')
    this.#store.run(
      () => this.#held!.handle!.transform(length),
      () => goertzelTransform(this.#params, state.values, length, state),
    )
  }

  free(): void {
    this.#store.release(this.#held?.handle)
    this.#held = undefined
  }
}
