import { base58btc } from 'multiformats/bases/base58'
import {
  applyEntry,
  commandCodec,
  configurationOf,
  initialState,
  pinOf,
  pins,
  seats,
  type AgreedPin,
  type Command,
  type Result,
  type Seat,
  type State,
} from '../../../consensus/state/index.ts'
import type { Request } from '../../../node/cell/commands.ts'

export const PIN = 'pin/'

/** Of Ed25519 keys that nobody has. */
const PEER_IDS = Array.from({ length: 16 }, (_, number) =>
  base58btc.baseEncode(Uint8Array.of(0, 36, 8, 1, 18, 32, ...new Uint8Array(32).fill(number + 1))),
)
const NAMES = new Map(PEER_IDS.map((peerId, number) => [peerId, 'ABCDEFGHIJKLMNOP'[number]!]))

/** @param number - under 16 */
export function peerIdOf(number: number): string {
  return PEER_IDS[number]!
}

/** A letter for each. */
export function nameOf(peerId: string): string {
  return NAMES.get(peerId) ?? peerId
}

/** What a cell has agreed on, entry by entry: one log, of which each member has seen a beginning. */
export class Agreed {
  /** by index */
  readonly states: State[] = [initialState()]
  /** keys that the entry changed, by index */
  readonly keys: (readonly string[])[] = [[]]
  #read: { readonly index: number; readonly pins: readonly AgreedPin[] } | undefined
  readonly #spoil: (state: State, request: Request) => State
  readonly #onEntry: (index: number, request: Request, result: Result) => void

  constructor(
    onEntry: (index: number, request: Request, result: Result) => void,
    spoil: (state: State, request: Request) => State = (state) => state,
  ) {
    this.#onEntry = onEntry
    this.#spoil = spoil
  }

  get head(): number {
    return this.states.length - 1
  }

  tree(index = this.head) {
    return this.states[index]!.tree
  }

  pin(cid: string, index = this.head): AgreedPin | undefined {
    return pinOf(this.tree(index), cid)
  }

  /** All of them; read once for each index. */
  pins(index: number): readonly AgreedPin[] {
    if (this.#read?.index !== index) this.#read = { index, pins: [...pins(this.tree(index))] }
    return this.#read.pins
  }

  standing(index = this.head): readonly Seat[] {
    return seats(this.tree(index))
  }

  /** Copies that are not on their way out. */
  staying({ allocations }: AgreedPin, index = this.head): Seat[] {
    return this.standing(index).filter(({ peerId, draining }) => !draining && allocations.includes(peerId))
  }

  /** A member that has caught up: the configuration changes, and its leader says so. */
  promote(raftId: number, time: number): void {
    const last = this.states.at(-1)!
    const configuration = configurationOf(last.tree)
    const entry = { index: this.head + 1, term: 1, kind: 'change' as const, data: new Uint8Array() }
    const voters = [...new Set([...configuration.voters, raftId])]
    const { state, changes } = applyEntry(last, entry, { ...configuration, voters })
    this.states.push(state)
    this.keys.push(changes.map(({ key }) => key))
    this.append({ type: 'member-promoted', raftId }, time)
  }

  append(request: Request, time: number): Result {
    const index = this.head + 1
    const session = { client: 'sim', opened: 0, sequence: index }
    const command = { ...request, v: 1, id: `sim.${index}`, session, time: Math.floor(time) } as Command
    const entry = { index, term: 1, kind: 'normal' as const, data: commandCodec.encode(command) }
    const { state, changes, result } = applyEntry(this.states.at(-1)!, entry)
    this.states.push(this.#spoil(state, request))
    this.keys.push(changes.map(({ key }) => key))
    this.#onEntry(index, request, result!)
    return result!
  }

  /** @returns keys that have changed after `from`, up to and with `to` */
  changed(from: number, to: number): string[] {
    return [...new Set(this.keys.slice(from + 1, to + 1).flat())]
  }
}
