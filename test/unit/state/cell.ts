import type { Configuration, Entry } from '../../../consensus/cell/engine.ts'
import {
  applyEntry,
  commandCodec,
  initialState,
  versionOf,
  type Command,
  type Outcome,
  type State,
} from '../../../consensus/state/index.ts'

type Fields<C> = C extends Command ? Omit<C, 'v' | 'id' | 'session' | 'time'> : never
export type Body = Fields<Command>

/** Valid in form, and no more. */
export const peer = (name: string) => `12D3KooW${name}`.padEnd(52, 'x').replaceAll(/[0OIl]/g, 'z')
export const bytes = (value: number, length = 16) => new Uint8Array(length).fill(value)

export function commandOf(body: Body, head: Partial<Pick<Command, 'id' | 'session' | 'time'>> = {}): Command {
  const session = head.session ?? { client: 'tester', opened: 0, sequence: 1 }
  const id = head.id ?? `${session.client}/${session.sequence}`
  return { v: versionOf(body.type), id, session, time: head.time ?? 1000, ...body } as Command
}

/** One replica, fed entry by entry. */
export class Replica {
  state: State = initialState()
  #sequence = 0

  get tree() {
    return this.state.tree
  }

  entry(data: Uint8Array): Entry {
    return { index: this.state.applied.index + 1, term: 1, kind: 'normal', data }
  }

  apply(data: Uint8Array): Outcome {
    return this.#take(applyEntry(this.state, this.entry(data)))
  }

  command(body: Body, head: Parameters<typeof commandOf>[1] = {}): Outcome {
    const session = head.session ?? { client: 'tester', opened: 0, sequence: ++this.#sequence }
    return this.apply(commandCodec.encode(commandOf(body, { ...head, session })))
  }

  /** @returns the result alone */
  run(body: Body, time = 1000) {
    return this.command(body, { time }).result
  }

  configure(configuration: Partial<Configuration>): Outcome {
    const whole = { voters: [], learners: [], votersOutgoing: [], learnersNext: [], ...configuration }
    return this.#take(applyEntry(this.state, { ...this.entry(bytes(1)), kind: 'change' }, whole))
  }

  #take(outcome: Outcome): Outcome {
    this.state = outcome.state
    return outcome
  }
}
