import { z } from 'zod'
import { MAX_ROWS, type Results, type Row } from '../../../protocols/audit/index.ts'
import { defineCodec } from '../../../protocols/shared/codec.ts'
import type { Sublevel } from '../../storage/sublevel.ts'
import { MAX_OWN_VERDICTS, MISSES } from './constants.ts'
import type { Verdict } from './verdict.ts'

const PREFIX = 'v\u0000'

const whole = z.int().min(0)
const record = defineCodec(
  'audit verdict',
  256,
  z.strictObject({
    /** when the copy was last proven, Unix milliseconds */
    p: whole.nullable(),
    /** when it was last found bad, after which it was not proven */
    f: whole.nullable(),
    /** challenges without a valid answer since it last gave one, and when the last one was */
    m: whole,
    a: whole,
    /** grows with each change */
    s: whole,
  }),
)
type State = ReturnType<typeof record.decode>
type Entry = State & { readonly cid: string; readonly peerId: string }

export interface OwnVerdictsInit {
  store: Sublevel
  periodMs: number
  now: () => number
  limit?: number
}

/**
 * What this node has found out itself. It is in memory, and written behind, without a sync: what a power cut takes is
 * found out again.
 */
export class OwnVerdicts {
  readonly #init: OwnVerdictsInit
  readonly #limit: number
  /** by copy, the one that was changed last is last */
  readonly #entries = new Map<string, Entry>()
  /** of the copies, by CID */
  readonly #peers = new Map<string, Set<string>>()
  #last = 0

  constructor(init: OwnVerdictsInit) {
    this.#init = init
    this.#limit = init.limit ?? MAX_OWN_VERDICTS
  }

  /** @param isKept - whether there is still such a copy; the others are forgotten */
  async open(isKept: (cid: string, peerId: string) => boolean): Promise<void> {
    const found: Entry[] = []
    const gone: string[] = []
    for await (const [key, value] of this.#init.store.entries({ gte: PREFIX, lt: 'v\u0001' })) {
      const name = Buffer.from(key).toString().slice(PREFIX.length)
      const [cid = '', peerId = ''] = name.split('\u0000')
      if (isKept(cid, peerId)) found.push({ cid, peerId, ...record.decode(value) })
      else gone.push(name)
    }
    for (const entry of found.sort((a, b) => a.s - b.s)) this.#keep(entry)
    this.#last = found.at(-1)?.s ?? 0
    await this.#forget(gone)
  }

  /** Each as it stands: what was last proven, and what is bad. */
  *all(): Generator<Verdict> {
    for (const { cid, peerId, p, f } of this.#entries.values()) {
      if (p !== null) yield { cid, peerId, isProven: true, at: p }
      if (f !== null) yield { cid, peerId, isProven: false, at: f }
    }
  }

  async record(cid: string, peerId: string, isProven: boolean): Promise<Verdict> {
    const at = this.#init.now()
    const { p } = this.#of(cid, peerId)
    await this.#set(cid, peerId, { p: isProven ? at : p, f: isProven ? null : at, m: 0, a: at })
    return { cid, peerId, isProven, at }
  }

  /** There was no valid answer. @returns that the copy is bad, when it was too often so */
  async miss(cid: string, peerId: string): Promise<Verdict | undefined> {
    const { now, periodMs } = this.#init
    const at = now()
    const { p, f, m, a } = this.#of(cid, peerId)
    const misses = at - a <= periodMs ? Math.min(m + 1, MISSES) : 1
    const isBad = misses >= MISSES
    await this.#set(cid, peerId, { p, f: isBad ? at : f, m: misses, a: at })
    return isBad ? { cid, peerId, isProven: false, at } : undefined
  }

  cids(): string[] {
    return [...this.#peers.keys()]
  }

  has(cid: string): boolean {
    return this.#peers.has(cid)
  }

  /** Of a pin that has changed. @param holders - who is to have a copy now */
  async keep(cid: string, holders: readonly string[]): Promise<void> {
    const gone = [...(this.#peers.get(cid) ?? [])].filter((peerId) => !holders.includes(peerId))
    await this.#forget(gone.map((peerId) => nameOf(cid, peerId)))
  }

  /** The next verdicts after a cursor, as others ask for them. */
  page(after: number): Results {
    const from = after > this.#last ? 0 : after
    if (from === this.#last) return { rows: [], next: from }
    const now = this.#init.now()
    const rows: Row[] = []
    let next = from
    for (const { cid, peerId, p, f, s } of this.#entries.values()) {
      if (s <= from) continue
      if (rows.length === MAX_ROWS) break
      next = s
      if (f !== null || p !== null) rows.push([cid, peerId, f === null, Math.max(0, now - (f ?? p ?? now))])
    }
    return { rows, next }
  }

  #of(cid: string, peerId: string): State {
    return this.#entries.get(nameOf(cid, peerId)) ?? { p: null, f: null, m: 0, a: 0, s: 0 }
  }

  async #set(cid: string, peerId: string, state: Omit<State, 's'>): Promise<void> {
    // After a restart, too: what others have read of this node is always behind.
    this.#last = Math.max(this.#last + 1, this.#init.now())
    const entry = { ...state, s: this.#last }
    this.#keep({ cid, peerId, ...entry })
    await this.#init.store.put(PREFIX + nameOf(cid, peerId), record.encode(entry), { sync: false })
    const over = this.#entries.size - this.#limit
    if (over > 0) await this.#forget([...this.#entries.keys()].slice(0, over))
  }

  #keep(entry: Entry): void {
    const { cid, peerId } = entry
    const name = nameOf(cid, peerId)
    this.#entries.delete(name)
    this.#entries.set(name, entry)
    const peers = this.#peers.get(cid)
    if (peers === undefined) this.#peers.set(cid, new Set([peerId]))
    else peers.add(peerId)
  }

  #drop(name: string): void {
    const entry = this.#entries.get(name)
    if (entry === undefined) return
    this.#entries.delete(name)
    const peers = this.#peers.get(entry.cid)
    peers?.delete(entry.peerId)
    if (peers?.size === 0) this.#peers.delete(entry.cid)
  }

  async #forget(names: readonly string[]): Promise<void> {
    if (names.length === 0) return
    for (const name of names) this.#drop(name)
    await this.#init.store.batch(
      names.map((name) => ({ type: 'del', key: PREFIX + name })),
      { sync: false },
    )
  }
}

function nameOf(cid: string, peerId: string): string {
  return `${cid}\u0000${peerId}`
}
