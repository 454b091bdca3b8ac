import type {
  BftMessage,
  Engine,
  EngineEffect,
  EngineInput,
  EngineStart,
  MeshEvents,
  MeshOptions,
  Pace,
  ProposedBlock,
  Validator,
} from '../../../consensus/mesh/index.ts'
import { Mesh } from '../../../consensus/mesh/index.ts'
import { blockOf, Disk, matches, MemoryApplication, MemoryWal, nameOf, VirtualClock, type Trace } from './ports.ts'

export const KEYS = [0, 1, 2, 3].map((number) => new Uint8Array(32).fill(number))
export const SET: readonly Validator[] = KEYS.map((key) => ({ key, power: 1 }))
const SIGNATURE = new Uint8Array(64)

/** Does what the test says. */
export class ScriptedEngine implements Engine {
  readonly start: EngineStart
  readonly inputs: EngineInput[] = []
  isFreed = false
  readonly #answer: (input: EngineInput) => EngineEffect[]

  constructor(start: EngineStart, answer: (input: EngineInput) => EngineEffect[]) {
    this.start = start
    this.#answer = answer
  }

  input(input: EngineInput): EngineEffect[] {
    this.inputs.push(input)
    return this.#answer(input)
  }

  free(): void {
    this.isFreed = true
  }
}

/** One node of four whose engine is the test. */
export class Scripted {
  readonly trace: Trace = []
  readonly clock = new VirtualClock()
  readonly disk = new Disk()
  readonly engines: ScriptedEngine[] = []
  readonly fatal: unknown[] = []
  loads = 0
  /** what the engine answers to what it gets */
  answer: (input: EngineInput, engine: number) => EngineEffect[] = () => []
  /** a step of the disk waits for it, or fails with it */
  readonly gates = new Map<string, Promise<void>>()
  validators: (height: number) => readonly Validator[] = () => SET
  pace: Pace = { epochMs: 0, idleEpochMs: 0 }
  events: Partial<MeshEvents> = {}
  readonly wal: MemoryWal
  readonly application: MemoryApplication
  mesh!: Mesh
  readonly #said = new Map<string, BftMessage>()

  constructor() {
    const step = async (name: string, isDone: boolean) => {
      if (!isDone) await this.gates.get(name)
      this.trace.push(isDone ? `${name} durable` : name)
    }
    this.wal = new MemoryWal(this.disk, step)
    const validators = (height: number) => this.validators(height)
    this.application = new MemoryApplication({ disk: this.disk, step, validators, name: 'own' })
  }

  start(options: Partial<MeshOptions> = {}): void {
    this.mesh = Mesh.start({
      mesh: new Uint8Array(36),
      seed: new Uint8Array(32),
      key: KEYS[0]!,
      loadEngine: async () => {
        this.loads += 1
        return (start) => {
          const number = this.engines.length
          const engine = new ScriptedEngine(start, (input) => this.answer(input, number))
          this.engines.push(engine)
          return engine
        }
      },
      decode: (bytes) => {
        const message = this.#said.get(String(bytes))
        if (message === undefined) throw new Error('no message')
        return message
      },
      proposerOf: (validators, height, round) => validators[(height + round) % validators.length]!.key,
      matches,
      pace: () => this.pace,
      wal: this.wal,
      application: this.application,
      transport: {
        publish: (height, bytes) => this.trace.push(`publish ${height} ${String.fromCharCode(...bytes)}`),
        publishBlock: (height, round, block) => this.trace.push(`block ${height}/${round} ${nameOf(block)}`),
        requestBlock: (height, value) => this.trace.push(`request ${height} ${value[35]}`),
      },
      clock: this.clock,
      events: { onFatal: (cause) => this.fatal.push(cause), ...this.events },
      options,
    })
  }

  get engine(): ScriptedEngine {
    return this.engines.at(-1)!
  }

  /** The engine gets a message and does this for it. */
  receive(message: BftMessage, from = 'validator' in message ? message.validator : KEYS[1]!): void {
    const bytes = new TextEncoder().encode(`${this.#said.size}`)
    this.#said.set(String(bytes), message)
    this.mesh.receive(from, message.height, bytes)
  }

  /** The engine does this now. */
  do(...effects: EngineEffect[]): void {
    const { answer } = this
    this.answer = () => effects
    this.receive(vote(this.mesh.height, undefined))
    this.answer = answer
  }

  /** what it was told, but for the start and messages */
  get told(): EngineInput[] {
    return this.engine.inputs.filter(({ type }) => type !== 'start' && type !== 'message')
  }

  fail(step: string): void {
    const failure = Promise.reject(new Error(`disk: ${step}`))
    failure.catch(() => undefined)
    this.gates.set(step, failure)
  }

  hold(step: string): () => void {
    const { promise, resolve } = Promise.withResolvers<void>()
    this.gates.set(step, promise)
    return resolve
  }
}

export const log = (name = 'r'): EngineEffect => ({ type: 'log', record: new TextEncoder().encode(name) })
export const publish = (name: string): EngineEffect => ({ type: 'publish', bytes: new TextEncoder().encode(name) })

export function decide(height: number, block: ProposedBlock, round = 0): EngineEffect {
  return { type: 'decide', certificate: { height, round, value: block.value, signatures: [] } }
}

export function vote(height: number, block: ProposedBlock | undefined, by = 1, round = 0): BftMessage {
  const value = block?.value
  const [validator, extension] = [KEYS[by]!, undefined]
  return { type: 'vote', kind: 'prevote', height, round, value, validator, signature: SIGNATURE, extension }
}

/** By the proposer of its round, unless another is named. */
export function proposal(height: number, block: ProposedBlock, round = 0, polRound = -1, by?: number): BftMessage {
  const validator = KEYS[by ?? (height + round) % 4]!
  return { type: 'proposal', height, round, value: block.value, polRound, validator, signature: SIGNATURE }
}

export { blockOf }
