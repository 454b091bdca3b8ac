import type { CommandOf } from './commands.ts'
import type { Draft } from './draft.ts'
import { PinBook } from './pin-book.ts'
import { EVERYWHERE, type PinSpec } from './pin-commands.ts'
import type { PinRecord } from './pin-records.ts'
import type { Result } from './records.ts'

type Refusal = Extract<Result, { ok: false }>

/** All or nothing. */
export function setPins(draft: Draft, { pins }: CommandOf<'pin-set'>): Result {
  const book = new PinBook(draft)
  for (const [at, spec] of pins.entries()) {
    const refused = setPin(draft, book, spec)
    if (refused !== undefined) return { ...refused, at }
  }
  return book.settle()
}

/** A pin that is there is changed: who has it and can keep it does, `created` and owner stay. */
function setPin(draft: Draft, book: PinBook, spec: PinSpec): Refusal | undefined {
  const before = book.get(spec.cid)
  const preferred = (spec.allocations ?? []).flatMap((peerId) => book.standing(peerId)?.seat ?? [])
  const pin = {
    created: before?.created ?? Math.min(spec.created ?? draft.time, draft.time),
    owner: before?.owner ?? book.ownerOf(spec.owner),
    seats: before?.seats ?? [],
    name: spec.name ?? before?.name ?? '',
    mode: spec.mode ?? before?.mode ?? 'recursive',
    ...askedOf(spec, before),
    expires: spec.expires === undefined ? before?.expires : (spec.expires ?? undefined),
    metadata: spec.metadata ?? before?.metadata ?? {},
    origins: spec.origins ?? before?.origins ?? [],
    priority: spec.priority ?? before?.priority ?? 0,
  }
  return book.allot(spec.cid, pin, preferred)
}

/** A bound that is asked for now beats one of earlier that it contradicts. */
function askedOf(spec: PinSpec, before: PinRecord | undefined): Pick<PinRecord, 'min' | 'max'> {
  const { min = before?.min, max = before?.max } = spec
  if (min === undefined || max === undefined || max === EVERYWHERE || (min !== EVERYWHERE && min <= max))
    return { min, max }
  return spec.min === undefined ? { min: undefined, max } : { min, max: undefined }
}

export function unsetPin(draft: Draft, { cid }: CommandOf<'pin-unset'>): Result {
  const book = new PinBook(draft)
  if (book.get(cid) === undefined) return { ok: false, code: 'E_PIN_UNKNOWN' }
  book.remove(cid)
  return book.settle()
}

/** Who holds `from` comes first for `to`: it has most of the blocks. */
export function replacePin(draft: Draft, { from, to, keep, owner }: CommandOf<'pin-replace'>): Result {
  const book = new PinBook(draft)
  const source = book.get(from)
  if (source === undefined) return { ok: false, code: 'E_PIN_UNKNOWN' }
  if (from === to) return { ok: true }
  const target = book.get(to)
  if (!keep) book.remove(from)
  const known = { created: target?.created ?? draft.time, owner: target?.owner ?? book.ownerOf(owner) }
  const refused = book.allot(to, { ...source, ...known, seats: target?.seats ?? [] }, source.seats)
  return refused ?? book.settle()
}

/**
 * Who has it and can keep it, who gets it: planned for one revision of the pin, and refused for any other. Copies of
 * members that were removed go with every move.
 */
export function movePin(draft: Draft, { cid, revision, add, drop }: CommandOf<'pin-move'>): Result {
  const book = new PinBook(draft)
  const pin = book.get(cid)
  if (pin === undefined) return { ok: false, code: 'E_PIN_UNKNOWN' }
  if (pin.revision !== revision) return { ok: false, code: 'E_PIN_CHANGED' }
  const added = add.map((peerId) => book.standing(peerId))
  if (added.includes(undefined)) return { ok: false, code: 'E_MEMBER_UNKNOWN' }
  if (added.some((seat) => seat?.draining)) return { ok: false, code: 'E_MEMBER_DRAINING' }
  const dropped = drop.map((peerId) => book.ownerOf(peerId))
  const left = pin.seats.filter((seat) => book.isStanding(seat) && !dropped.includes(seat))
  const seats = [...new Set([...left, ...added.map((seat) => seat!.seat)])].sort((a, b) => a - b)
  if (seats.length === 0) return { ok: false, code: 'E_PIN_LAST' }
  if (add.length > 0 && book.isOverMax(pin, seats)) return { ok: false, code: 'E_PIN_MAX' }
  book.put(cid, { ...pin, seats })
  return book.settle()
}

/** Whoever proposed it may have had another time: the state's decides. */
export function expirePins(draft: Draft, { cids }: CommandOf<'pins-expire'>): Result {
  const book = new PinBook(draft)
  for (const cid of cids) {
    const pin = book.get(cid)
    if (pin?.expires !== undefined && pin.expires <= draft.time) book.remove(cid)
  }
  return book.settle()
}
