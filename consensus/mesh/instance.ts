import type { CreateEngine, Engine, EngineEffect, EngineInput, Validator } from './engine.ts'
import { EngineRefusal } from './engine.ts'
import type { Engines } from './engines.ts'
import type { MeshInit } from './init.ts'
import { Wait } from './wait.ts'

export interface InstanceInit {
  readonly number: number
  readonly validators: readonly Validator[]
  readonly node: Pick<MeshInit, 'mesh' | 'seed' | 'wal' | 'application' | 'clock' | 'events'>
  readonly engines: Engines
  /** Records of the log that it starts from; its first effects come next. */
  onStart(records: number): void
  onEffects(effects: readonly EngineEffect[]): void
  /** it takes inputs */
  onRunning(): void
  /** Nothing that it said and that is not durable may ever be done. Resolves when the log is at rest. */
  onTrap(): Promise<void>
  /** it cannot be had, or traps on its own log */
  onFail(cause: unknown): void
}

/** The engine of one height, made anew from the log when it traps. */
export class Instance {
  readonly #init: InstanceInit
  readonly #pause: Wait
  /** undefined until it has started, and while it is made anew */
  #engine: Engine | undefined
  /** never rejects */
  #starting: Promise<void> = Promise.resolve()
  #isOver = false
  #bootTraps = 0

  constructor(init: InstanceInit) {
    this.#init = init
    this.#pause = new Wait(init.node.clock)
  }

  get isRunning(): boolean {
    return this.#engine !== undefined
  }

  start(): void {
    this.#starting = this.#start().catch((cause: unknown) => this.#init.onFail(cause))
  }

  /** @returns its effects; undefined when it refused, trapped or does not run */
  input(input: EngineInput, from?: Uint8Array): EngineEffect[] | undefined {
    try {
      return this.#engine?.input(input)
    } catch (cause) {
      if (!(cause instanceof EngineRefusal)) this.#trapped(cause)
      else if (from !== undefined) this.#init.node.events.onRefused?.(cause.code, from)
      return undefined
    }
  }

  end(): void {
    this.#isOver = true
    this.#pause.end()
    this.#engine?.free()
    this.#engine = undefined
  }

  /** Resolves when none is being made. */
  async settled(): Promise<void> {
    for (let before: Promise<void> | undefined; before !== this.#starting;) await (before = this.#starting)
  }

  async #start(): Promise<void> {
    const { number, engines, node, onStart, onEffects, onRunning } = this.#init
    const [createEngine, log] = [await engines.get(), await node.wal.read(number)]
    if (this.#isOver) return
    const effects = this.#boot(createEngine, log)
    if (effects === undefined) return
    onStart(log.length)
    onEffects(effects)
    if (this.isRunning) onRunning()
  }

  /** @returns undefined when it trapped, the first time. @throws EngineRefusal of what the log holds */
  #boot(createEngine: CreateEngine, log: readonly Uint8Array[]): EngineEffect[] | undefined {
    const { number: height, validators, node } = this.#init
    const { mesh, seed, application } = node
    const host = {
      extension: (round: number, value: Uint8Array) => application.extension(round, value),
      isExtension: (validator: Uint8Array, bytes: Uint8Array) => application.isExtension(validator, bytes),
    }
    try {
      this.#engine = createEngine({ mesh, height, validators, seed, log }, host)
      return this.#engine.input({ type: 'start' })
    } catch (cause) {
      this.#engine = undefined
      // What is in the log does not change: it would trap for ever.
      if (cause instanceof EngineRefusal || this.#bootTraps++ > 0) throw cause
      this.#trapped(cause)
      return undefined
    }
  }

  #trapped(cause: unknown): void {
    const { engines, node, onTrap, onFail } = this.#init
    this.#engine = undefined
    const pauseMs = engines.spoil()
    const atRest = onTrap()
    node.events.onTrap?.(cause)
    this.#starting = this.#restart(atRest, pauseMs).catch(onFail)
  }

  async #restart(atRest: Promise<void>, pauseMs: number): Promise<void> {
    await atRest
    if (pauseMs > 0 && !this.#isOver) await this.#pause.for(pauseMs)
    if (!this.#isOver) await this.#start()
  }
}
