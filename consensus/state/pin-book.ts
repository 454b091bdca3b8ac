import { allocate, defaultReplication, domainsOf, replicationOf, type Replication } from './allocation.ts'
import type { Draft } from './draft.ts'
import { EVERYWHERE } from './pin-commands.ts'
import { pinRecord, type PinRecord } from './pin-records.ts'
import { counterRecord, KEY, memberRecord, type Result } from './records.ts'
import { standingSeats, type Seat } from './seats.ts'

type Refusal = Extract<Result, { ok: false }>

/** The pinset while one command changes it: nothing is written before all of it has been found good. */
export class PinBook {
  readonly #draft: Draft
  readonly #standing: readonly Seat[]
  /** who may get copies, ascending by seat, with the pins that they hold as the command has changed them */
  readonly #able: { -readonly [Key in keyof Seat]: Seat[Key] }[]
  readonly #usual: Replication
  readonly #pending = new Map<string, PinRecord | undefined>()
  /** of each seat, by how many its pins have changed */
  readonly #changes = new Map<number, number>()
  readonly #owners = new Map<string, number | string>()
  #count = 0

  constructor(draft: Draft) {
    this.#draft = draft
    this.#standing = standingSeats(draft.tree)
    this.#able = this.#standing.filter(({ draining }) => !draining).map((seat) => ({ ...seat }))
    this.#usual = defaultReplication(this.#able)
  }

  get(cid: string): PinRecord | undefined {
    return this.#pending.has(cid) ? this.#pending.get(cid) : this.#draft.get(KEY.pin(cid), pinRecord)
  }

  standing(peerId: string): Seat | undefined {
    return this.#standing.find((seat) => seat.peerId === peerId)
  }

  isStanding(seat: number): boolean {
    return this.#standing.some((one) => one.seat === seat)
  }

  /** Shorter than a peer id where there is one. */
  ownerOf(peerId: string): number | string {
    const known = this.#owners.get(peerId) ?? this.#draft.get(KEY.member(peerId), memberRecord)?.seat ?? peerId
    this.#owners.set(peerId, known)
    return known
  }

  /**
   * Gives a pin to those that are to hold it. Who is being drained keeps its copy beside them, until repair has seen
   * that the others have it.
   */
  allot(cid: string, pin: Omit<PinRecord, 'revision'>, preferred: readonly number[]): Refusal | undefined {
    const { min, max } = replicationOf(pin, this.#usual)
    const seats = allocate(this.#able, { cid, min, max, preferred, kept: pin.seats })
    if (seats === undefined)
      return { ok: false, code: 'E_PIN_SHORT', wants: Math.max(1, min), has: domainsOf(this.#able) }
    const leaving = pin.seats.filter((seat) => this.#standing.some((one) => one.seat === seat && one.draining))
    this.put(cid, { ...pin, seats: [...seats, ...leaving].sort((a, b) => a - b) })
    return undefined
  }

  /** Copies that are on their way out count no more. */
  isOverMax(pin: PinRecord, seats: readonly number[]): boolean {
    const { max } = replicationOf(pin, this.#usual)
    return max !== EVERYWHERE && this.#able.filter(({ seat }) => seats.includes(seat)).length > max
  }

  /** What is as it was keeps its revision. */
  put(cid: string, pin: Omit<PinRecord, 'revision'>): void {
    const before = this.get(cid)
    if (before !== undefined && isSame(before, { ...pin, revision: before.revision })) return
    this.#note(cid, before, { ...pin, revision: this.#draft.index })
  }

  remove(cid: string): void {
    this.#note(cid, this.get(cid), undefined)
  }

  #note(cid: string, before: PinRecord | undefined, after: PinRecord | undefined): void {
    for (const seat of before?.seats ?? []) this.#add(seat, -1)
    for (const seat of after?.seats ?? []) this.#add(seat, 1)
    this.#count += Number(after !== undefined) - Number(before !== undefined)
    this.#pending.set(cid, after)
  }

  #add(seat: number, by: number): void {
    this.#changes.set(seat, (this.#changes.get(seat) ?? 0) + by)
    const place = this.#able.find((one) => one.seat === seat)
    if (place !== undefined) place.pins += by
  }

  settle(): Result {
    for (const [cid, pin] of this.#pending) {
      if (pin === undefined) this.#draft.delete(KEY.pin(cid))
      else this.#draft.set(KEY.pin(cid), pinRecord, pin)
    }
    for (const [seat, by] of this.#changes) count(this.#draft, KEY.seatPins(seat), by)
    count(this.#draft, KEY.pinCount, this.#count)
    return { ok: true }
  }
}

function isSame(one: PinRecord, other: PinRecord): boolean {
  return Buffer.compare(pinRecord.encode(one), pinRecord.encode(other)) === 0
}

/** None is no record: the same content is the same state. */
function count(draft: Draft, key: string, by: number): void {
  if (by === 0) return
  const value = (draft.get(key, counterRecord) ?? 0) + by
  if (value === 0) draft.delete(key)
  else draft.set(key, counterRecord, value)
}
