import { CodedError } from '../../protocols/shared/errors.ts'
import type { Applied } from './ports.ts'

interface Pending {
  readonly id: string
  readonly command: Uint8Array
  readonly deadline: number
  /** when the engine last took it; undefined while it never did */
  sentAt: number | undefined
  isQueued: boolean
  readonly resolve: (applied: Applied) => void
  readonly reject: (error: CodedError) => void
}

/** Commands in flight at once; what comes beyond is refused. */
const MAX_PROPOSALS = 8192
/** Commands are given to the engine together up to this; one entry holds one command. */
const MAX_BATCH_BYTES = 1 << 19
const MAX_BATCH = 512
const NONE: readonly Pending[] = []

/** Commands that wait for their results. Each carries an id, so one that is proposed again is applied once. */
export class Proposals {
  readonly #pending = new Map<string, Pending>()
  #unsent: Pending[] = []

  /** @throws CodedError E_CELL_BUSY when too many wait */
  add(id: string, command: Uint8Array, deadline: number): Promise<Applied> {
    const known = this.#pending.get(id)
    if (known !== undefined) throw new CodedError('E_CELL_BUSY', `the command ${id} is already under way`)
    if (this.#pending.size >= MAX_PROPOSALS) {
      throw new CodedError('E_CELL_BUSY', `${MAX_PROPOSALS} commands wait already`, { hint: 'try again in a moment' })
    }
    const { promise, resolve, reject } = Promise.withResolvers<Applied>()
    const pending: Pending = { id, command, deadline, sentAt: undefined, isQueued: true, resolve, reject }
    this.#pending.set(id, pending)
    this.#unsent.push(pending)
    return promise
  }

  /** Commands to hand to the engine now; {@link sent} tells that it took them. */
  nextBatch(): readonly Pending[] {
    if (this.#unsent.length === 0) return NONE
    const batch: Pending[] = []
    let bytes = 0
    for (const pending of this.#unsent) {
      bytes += pending.command.length
      if (batch.length > 0 && (bytes > MAX_BATCH_BYTES || batch.length === MAX_BATCH)) break
      batch.push(pending)
    }
    return batch
  }

  sent(batch: readonly Pending[], now: number): void {
    for (const pending of batch) {
      pending.sentAt = now
      pending.isQueued = false
    }
    this.#unsent.splice(0, batch.length)
  }

  /** @param result - of an applied entry; others' commands are nobody's here */
  applied(result: Applied): void {
    const pending = result.commandId === undefined ? undefined : this.#pending.get(result.commandId)
    if (pending === undefined) return
    this.#forget(pending)
    pending.resolve(result)
  }

  /** Proposes again what has waited for too long: it may have been lost on its way to a leader. */
  retry(now: number, afterMs: number): void {
    for (const pending of this.#pending.values()) {
      if (pending.isQueued || now - (pending.sentAt ?? now) < afterMs) continue
      pending.isQueued = true
      this.#unsent.push(pending)
    }
  }

  /** Ends those whose time is over. */
  expire(now: number): void {
    for (const pending of this.#pending.values()) if (pending.deadline <= now) this.#fail(pending)
  }

  failAll(): void {
    for (const pending of this.#pending.values()) this.#fail(pending)
  }

  #fail(pending: Pending): void {
    this.#forget(pending)
    pending.reject(pending.sentAt === undefined ? noQuorum('the command was not applied') : outcomeUnknown())
  }

  #forget(pending: Pending): void {
    this.#pending.delete(pending.id)
    if (pending.isQueued) this.#unsent = this.#unsent.filter((other) => other !== pending)
  }
}

export function noQuorum(what: string): CodedError {
  return new CodedError('E_NO_QUORUM', `the cell has no leader that a majority follows; ${what}`, {
    hint: '`kairos cell status` shows which members are missing; start them, or wait for an election',
  })
}

function outcomeUnknown(): CodedError {
  return new CodedError('E_OUTCOME_UNKNOWN', 'no answer in time: the command may or may not have been applied', {
    hint: 'look whether it took effect before you try again',
  })
}
