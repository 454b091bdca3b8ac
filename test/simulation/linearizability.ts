/** One client's operation on one register; a register that was never set holds 0. */
export interface Operation {
  readonly client: number
  readonly id: string
  readonly key: number
  readonly kind: 'get' | 'set' | 'cas'
  /** the new value of `set` and `cas` */
  readonly value: number
  /** what `cas` compares with */
  readonly expected: number
  /** moment of the call; moments of a history are all different */
  readonly called: number
  /** moment of the answer, `undefined` while unknown: it may take effect at any time after the call, or never */
  returned: number | undefined
  /** of `get` the value read, of `cas` whether it took (1 or 0) */
  result: number | undefined
}

export type Verdict = { readonly ok: true } | { readonly ok: false; readonly key: number; readonly why: string }

/** Steps of one key's search; beyond it the history is reported as undecided, never as good. */
const BUDGET = 2_000_000

/** Wing & Gong's search with Lowe's memory of dead ends, key by key (registers are independent: Herlihy & Wing §3.3). */
export function checkLinearizable(history: readonly Operation[]): Verdict {
  const keys = new Map<number, Operation[]>()
  for (const operation of history) {
    const list = keys.get(operation.key)
    if (list === undefined) keys.set(operation.key, [operation])
    else list.push(operation)
  }
  for (const [key, operations] of keys) {
    const why = new Search(operations).run()
    if (why !== undefined) return { ok: false, key, why }
  }
  return { ok: true }
}

class Search {
  readonly #known: Operation[]
  readonly #unknown: Operation[]
  readonly #done: Uint8Array
  readonly #used: Uint8Array
  readonly #dead = new Set<string>()
  #steps = 0
  #furthest = 0

  constructor(operations: readonly Operation[]) {
    const sorted = [...operations].sort((a, b) => a.called - b.called)
    this.#known = sorted.filter(({ returned }) => returned !== undefined)
    // A read without an answer says nothing.
    this.#unknown = sorted.filter(({ returned, kind }) => returned === undefined && kind !== 'get')
    this.#done = new Uint8Array(this.#known.length)
    this.#used = new Uint8Array(this.#unknown.length)
  }

  run(): string | undefined {
    if (this.#from(0, 0)) return undefined
    if (this.#steps >= BUDGET) return `undecided after ${BUDGET} steps`
    const stuck = this.#known[this.#furthest]!
    return `no order explains ${describe(stuck)}`
  }

  /** @param first - before it everything known is placed */
  #from(first: number, state: number): boolean {
    while (first < this.#known.length && this.#done[first] === 1) first++
    if (first === this.#known.length) return true
    if (first > this.#furthest) this.#furthest = first
    if (this.#steps++ >= BUDGET) return false
    if (this.#dead.size > 0 && this.#dead.has(this.#key(first, state))) return false
    if (this.#tryKnown(first, state) || this.#tryUnknown(first, state)) return true
    this.#dead.add(this.#key(first, state))
    return false
  }

  #tryKnown(first: number, state: number): boolean {
    let bound = Infinity
    for (let at = first; at < this.#known.length; at++) {
      const operation = this.#known[at]!
      if (operation.called > bound) break
      if (this.#done[at] === 1) continue
      bound = Math.min(bound, operation.returned!)
      const next = after(operation, state)
      if (next === undefined) continue
      this.#done[at] = 1
      if (this.#from(first, next)) return true
      this.#done[at] = 0
      // A read that fits now can always come first: where that leads nowhere, nothing does.
      if (operation.kind === 'get') return false
    }
    return false
  }

  // After the known ones, and only where it makes another's answer possible: else it could as well come later or never.
  #tryUnknown(first: number, state: number): boolean {
    const bound = this.#bound(first)
    for (let at = 0; at < this.#unknown.length; at++) {
      const operation = this.#unknown[at]!
      if (operation.called > bound) break
      if (this.#used[at] === 1) continue
      const next = after(operation, state)
      if (next === undefined || next === state || !this.#helps(first, bound, state, next)) continue
      this.#used[at] = 1
      if (this.#from(first, next)) return true
      this.#used[at] = 0
    }
    return false
  }

  #helps(first: number, bound: number, state: number, next: number): boolean {
    for (let at = first; at < this.#known.length && this.#known[at]!.called <= bound; at++) {
      if (this.#done[at] === 1) continue
      const operation = this.#known[at]!
      if (after(operation, next) !== undefined && after(operation, state) === undefined) return true
    }
    return this.#unknown.some(({ kind, expected }, at) => kind === 'cas' && expected === next && this.#used[at] !== 1)
  }

  #bound(first: number): number {
    let bound = Infinity
    for (let at = first; at < this.#known.length && this.#known[at]!.called <= bound; at++) {
      if (this.#done[at] !== 1) bound = Math.min(bound, this.#known[at]!.returned!)
    }
    return bound
  }

  #key(first: number, state: number): string {
    const bound = this.#bound(first)
    let key = `${state}:${first}`
    for (let at = first + 1; at < this.#known.length && this.#known[at]!.called <= bound; at++) {
      if (this.#done[at] === 1) key += `,${at}`
    }
    key += ':'
    for (let at = 0; at < this.#used.length; at++) if (this.#used[at] === 1) key += `,${at}`
    return key
  }
}

/** @returns the register after it, `undefined` when its answer cannot come from this state */
function after(operation: Operation, state: number): number | undefined {
  if (operation.kind === 'get') return operation.result === state ? state : undefined
  if (operation.kind === 'set') return operation.value
  const took = operation.expected === state
  if (operation.returned !== undefined && took !== (operation.result === 1)) return undefined
  return took ? operation.value : state
}

function describe({ client, id, key, kind, value, expected, result, called, returned }: Operation): string {
  const asked = kind === 'get' ? '' : kind === 'set' ? ` ${value}` : ` ${expected} to ${value}`
  return `${kind} r${key}${asked} = ${result} (${id} of client ${client}, ${called} to ${returned})`
}
