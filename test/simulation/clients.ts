import type { Command } from './commands.ts'
import { commandId, encodeCommand } from './commands.ts'
import type { Dice } from './dice.ts'
import type { Operation } from './linearizability.ts'
import type { Profile } from './options.ts'
import type { VirtualTime } from './time.ts'

/**
 * How a request ended: with a result, refused (it has not taken effect and never will), or neither is known.
 */
export type Answer = { readonly kind: 'done'; readonly result: number } | { readonly kind: 'refused' | 'unknown' }

/** Where a client's request goes. */
export interface Door {
  execute(command: Command, id: string, data: Uint8Array): Promise<Answer>
  /** a linearizable read of a register from this node's own state */
  read(key: number): Promise<Answer>
}

export interface ClientsInit {
  readonly time: VirtualTime
  readonly dice: Dice
  readonly profile: Profile
  /** the nodes that a client can reach now */
  readonly doors: () => readonly Door[]
  /** told of each result that a client is given */
  readonly answered: (id: string) => void
}

const PATIENCE_MS = 1500
const AGAIN_MS = 100

/** Clients that each ask for one thing at a time, through any node, and write down what they saw. */
export class Clients {
  readonly history: Operation[] = []
  /** of each command the tries that may have taken effect */
  readonly tries = new Map<string, number>()
  active = true
  #moment = 0
  #value = 0
  readonly #init: ClientsInit

  constructor(init: ClientsInit) {
    this.#init = init
    for (let client = 1; client <= init.profile.clients; client++) this.#think(client, 1)
  }

  /** One write that must succeed; asks until it does. */
  finalWrite(done: () => void): void {
    const command: Command = { client: 99, number: 1, kind: 'set', key: 0, value: ++this.#value, expected: 0 }
    const operation = this.#open(command)
    this.#ask(operation, command, undefined, done)
  }

  #think(client: number, number: number): void {
    this.#init.time.after(this.#init.dice.exponential(this.#init.profile.thinkMs), () => {
      if (this.active) this.#begin(client, number)
    })
  }

  #begin(client: number, number: number): void {
    const { dice, profile } = this.#init
    const key = dice.whole(0, profile.keys - 1)
    const kind = dice.pick(['get', 'get', 'set', 'cas'] as const)!
    const [value, expected] = [++this.#value, this.#guess(key)]
    const command: Command = { client, number, kind, key, value, expected }
    const next = () => this.#think(client, number + 1)
    this.#ask(this.#open(command), command, this.#init.time.now + PATIENCE_MS, next)
  }

  // A value that the register may well hold, so that about half of the comparisons succeed.
  #guess(key: number): number {
    for (let at = this.history.length - 1; at >= Math.max(0, this.history.length - 40); at--) {
      const { key: of, kind, result, value } = this.history[at]!
      if (of !== key || result === undefined) continue
      if (kind === 'get') return result
      if (kind === 'set' || result === 1) return value
    }
    return 0
  }

  #open(command: Command): Operation {
    const { client, key, value, expected } = command
    const called = ++this.#moment
    const operation: Operation = {
      client,
      id: commandId(command),
      key,
      kind: command.kind as Operation['kind'],
      value,
      expected,
      called,
      returned: undefined,
      result: undefined,
    }
    this.history.push(operation)
    return operation
  }

  /** @param until - then the client gives up; `undefined` for never */
  #ask(operation: Operation, command: Command, until: number | undefined, done: () => void): void {
    const { time, dice } = this.#init
    const door = dice.pick(this.#init.doors())
    if (door === undefined) return this.#again(operation, command, until, done)
    this.#tried(operation.id, 1)
    let settled = false
    const cancel = time.after(PATIENCE_MS, () => settle({ kind: 'unknown' }))
    const settle = (answer: Answer) => {
      if (settled) return
      settled = true
      cancel()
      this.#settle(operation, command, until, done, answer)
    }
    // Half of the reads go through the log, so that both ways are held against each other.
    const asked =
      command.kind === 'get' && command.number % 2 === 0
        ? door.read(command.key)
        : door.execute(command, operation.id, encodeCommand(command))
    void asked.then(settle)
  }

  #tried(id: string, more: number): void {
    this.tries.set(id, (this.tries.get(id) ?? 0) + more)
  }

  #settle(operation: Operation, command: Command, until: number | undefined, done: () => void, answer: Answer): void {
    if (answer.kind === 'refused') this.#tried(operation.id, -1)
    if (answer.kind === 'done') {
      operation.returned = ++this.#moment
      operation.result = answer.result
      if (operation.kind !== 'get' || command.number % 2 === 1) this.#init.answered(operation.id)
      return done()
    }
    this.#again(operation, command, until, done)
  }

  // The same id again: whatever became of the first try, it takes effect once.
  #again(operation: Operation, command: Command, until: number | undefined, done: () => void): void {
    if (until !== undefined && (this.#init.time.now >= until || this.#init.dice.chance(0.2))) return done()
    this.#init.time.after(AGAIN_MS, () => this.#ask(operation, command, until, done))
  }
}
