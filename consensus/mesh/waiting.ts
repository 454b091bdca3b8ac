import { equalBytes } from '../light/bytes.ts'
import type { BftMessage } from './engine.ts'
import { keyOf } from './key-of.ts'
import type { ProposedBlock } from './ports.ts'

/** Of one sender and kind: the newest are kept. */
const MAX_OF_KIND = 4
/** Of one sender: four precommits with the longest extensions, and the rest. */
const MAX_SENDER_BYTES = 512 << 10
/** A whole set: those of the next height may be others than those of this. */
const MAX_STRANGERS = 64
const MAX_BLOCKS = 4

export interface Waiter {
  /** in the order in which they came */
  readonly number: number
  readonly from: Uint8Array
  readonly bytes: Uint8Array
  readonly message: BftMessage
}

/** What came for a height before its engine runs: bounded for each sender, so that nobody crowds out another. */
export class Waiting {
  readonly #senders = new Map<string, Waiter[]>()
  readonly #blocks = new Map<string, { readonly round: number; readonly block: ProposedBlock }>()
  readonly #present: ReadonlySet<string>
  #count = 0

  /** @param present - validators of the height before, whom no crowd of others keeps out */
  constructor(present: readonly Uint8Array[] = []) {
    this.#present = new Set(present.map((key) => keyOf(key)))
  }

  get messages(): Waiter[] {
    return [...this.#senders.values()].flat().sort((a, b) => a.number - b.number)
  }

  /** Forgets what others sent than these. */
  retain(senders: readonly Uint8Array[]): void {
    const kept = new Set(senders.map((sender) => keyOf(sender)))
    for (const key of this.#senders.keys()) if (!kept.has(key)) this.#senders.delete(key)
  }

  /** @returns whether all is kept: false where one had to go */
  add(from: Uint8Array, bytes: Uint8Array, message: BftMessage): boolean {
    const key = keyOf(from)
    const before = this.#senders.get(key) ?? []
    if (before.some((one) => equalBytes(one.bytes, bytes))) return true
    if (before.length === 0 && !this.#hasPlace(key)) return false
    const waiters = [...before, { number: this.#count++, from, bytes, message }]
    const kept = bounded(waiters, kindOf(message))
    this.#senders.set(key, kept)
    return kept.length === waiters.length
  }

  addBlock(round: number, block: ProposedBlock): void {
    const key = keyOf(block.value)
    if (!this.#blocks.has(key) && this.#blocks.size >= MAX_BLOCKS)
      this.#blocks.delete(this.#blocks.keys().next().value!)
    this.#blocks.set(key, { round, block })
  }

  takeBlocks(): { readonly round: number; readonly block: ProposedBlock }[] {
    const blocks = [...this.#blocks.values()]
    this.#blocks.clear()
    return blocks
  }

  take(): Waiter[] {
    const { messages } = this
    this.#senders.clear()
    return messages
  }

  #hasPlace(key: string): boolean {
    if (this.#present.has(key)) return true
    return [...this.#senders.keys()].filter((sender) => !this.#present.has(sender)).length < MAX_STRANGERS
  }
}

function kindOf(message: BftMessage): string {
  return message.type === 'vote' ? message.kind : message.type
}

/** Without the oldest of a kind that there are too many of, and as few bytes as a sender may have here. */
function bounded(waiters: Waiter[], kind: string): Waiter[] {
  const same = waiters.filter(({ message }) => kindOf(message) === kind)
  const kept = same.length > MAX_OF_KIND ? waiters.filter((one) => one !== same[0]) : waiters
  let bytes = kept.reduce((sum, one) => sum + one.bytes.length, 0)
  return kept.filter((one) => {
    if (bytes <= MAX_SENDER_BYTES) return true
    bytes -= one.bytes.length
    return false
  })
}
