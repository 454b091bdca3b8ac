import { peerIdFromString } from '@libp2p/peer-id'
import { CID } from 'multiformats/cid'
import { z } from 'zod'
import { seats, type AgreedPin } from '../../consensus/state/index.ts'
import { CodedError, codeOf, messageOf } from '../../protocols/shared/errors.ts'
import type { LocalPins } from '../content/pins/index.ts'
import type { PinCopy, PinStatusDocument } from '../operations-pins.ts'
import { timeOf } from './documents.ts'
import type { PinCell, PinMesh } from './ports.ts'
import type { Proofs } from './proofs.ts'
import { STATUSES } from './statuses.ts'
import { reasonOf, type Tracker } from './tracker/index.ts'

/** A node that says nothing for so long is shown as unreachable. */
const ASK_MS = 5_000
/** Questions under way to all together. */
const ASKED_AT_ONCE = 16

/** Of another node: as far as it is shown, and no more. */
const copySchema = z.object({
  peerId: z.string().max(128),
  status: z.enum(STATUSES),
  reason: z
    .object({
      code: z.string().max(32),
      message: z.string().max(1024),
      missing: z.string().max(128).optional(),
      lastBlockSecondsAgo: z.number().optional(),
    })
    .nullable(),
  attempts: z.number(),
  since: z.string().max(40),
  progress: z
    .object({
      blocks: z.number(),
      bytes: z.number(),
      totalBytes: z.number().nullable(),
      bytesPerSecond: z.number(),
    })
    .nullable(),
})
const rowSchema = z.object({ cid: z.string().max(256), copies: z.array(copySchema).max(64) })

export interface ObserverInit {
  cell: Pick<PinCell, 'tree'>
  mesh: PinMesh
  local: Pick<LocalPins, 'get'>
  tracker: Pick<Tracker, 'statusOf'>
  proofs: Proofs
}

/** What is seen of the copies of a pin, here and at the other nodes that are to hold one. */
export class Observer {
  readonly #init: ObserverInit

  constructor(init: ObserverInit) {
    this.#init = init
  }

  async status(pin: AgreedPin, { local }: { local: boolean }, signal: AbortSignal): Promise<PinStatusDocument> {
    const { self } = this.#init.mesh
    const holders = local ? pin.allocations.filter((peerId) => peerId === self) : pin.allocations
    const copies = await Promise.all(holders.map((peerId) => this.#copy(pin, peerId, signal)))
    return this.#document(pin, copies)
  }

  /** Of many: not all are asked at once. */
  async statuses(found: readonly AgreedPin[], options: { local: boolean }, signal: AbortSignal) {
    const documents: PinStatusDocument[] = []
    for (let at = 0; at < found.length; at += ASKED_AT_ONCE) {
      const some = found.slice(at, at + ASKED_AT_ONCE)
      documents.push(...(await Promise.all(some.map((pin) => this.status(pin, options, signal)))))
    }
    return documents
  }

  async #copy(pin: AgreedPin, peerId: string, signal: AbortSignal): Promise<PinCopy> {
    const { mesh, proofs } = this.#init
    const proven = proofs.provenAt(pin.cid, peerId)
    const copy = peerId === mesh.self ? await this.#own(pin) : await this.#asked(pin.cid, peerId, signal)
    const isBad = copy.status === 'pinned' && proofs.badCopies(pin.cid).includes(peerId)
    const shown = isBad ? { ...copy, status: 'pin_error' as const, reason: UNPROVEN } : copy
    return { ...shown, peerId, name: mesh.nameOf(peerId), proven: proven === undefined ? null : timeOf(proven) }
  }

  async #own({ cid }: AgreedPin): Promise<Seen> {
    const tracked = this.#init.tracker.statusOf(cid)
    if (tracked !== undefined) return { ...tracked, since: timeOf(tracked.since) }
    const held = await this.#init.local.get(CID.parse(cid))
    const since = timeOf(held?.since ?? Date.now())
    const rest = { attempts: 0, since, progress: null }
    if (held === undefined) return { ...rest, status: 'unexpectedly_unpinned', reason: LOST }
    if (held.state === 'pinned') return { ...rest, status: 'pinned', reason: null }
    if (held.state === 'pinning' || held.error === undefined) return { ...rest, status: 'pin_queued', reason: null }
    const { code, message } = held.error
    return { ...rest, status: 'pin_error', reason: reasonOf(new CodedError(code, message)) }
  }

  async #asked(cid: string, peerId: string, signal: AbortSignal): Promise<Seen> {
    const { mesh } = this.#init
    try {
      const until = AbortSignal.any([signal, AbortSignal.timeout(ASK_MS)])
      for await (const row of mesh.ask(peerIdFromString(peerId), { cid }, until)) {
        const copy = rowSchema.parse(row).copies.find((one) => one.peerId === peerId)
        if (copy !== undefined) return copy as Seen
      }
      return unseen('it does not know of the pin yet')
    } catch (error) {
      signal.throwIfAborted()
      // It is agreed on and has not been applied there.
      if (codeOf(error) === 'E_PIN_UNKNOWN') return unseen('it does not know of the pin yet')
      return { ...unseen(messageOf(error)), status: 'cluster_error' }
    }
  }

  #document(pin: AgreedPin, copies: PinCopy[]): PinStatusDocument {
    const domains = new Map(seats(this.#init.cell.tree).map(({ peerId, domain }) => [peerId, domain]))
    const pinned = copies.filter(({ status }) => status === 'pinned').map(({ peerId }) => domains.get(peerId) ?? peerId)
    return {
      cid: pin.cid,
      name: pin.name,
      replicationMin: pin.min,
      replicationMax: pin.max,
      pinned: new Set(pinned).size,
      copies,
    }
  }
}

type Seen = Omit<PinCopy, 'peerId' | 'name' | 'proven'>

const LOST: PinCopy['reason'] = { code: 'storage', message: 'this node is to hold it and does not' }
const UNPROVEN: PinCopy['reason'] = { code: 'proof_failed', message: 'it says that it has it and could not prove it' }

function unseen(message: string): Seen {
  const reason = { code: 'unreachable' as const, message }
  return { status: 'pin_queued', reason, attempts: 0, since: timeOf(Date.now()), progress: null }
}

/** Whether a node tells whoever asks that it has a pin whole. @throws {CodedError} as the query */
export async function claims(
  mesh: Pick<PinMesh, 'ask'>,
  { cid, peerId, signal }: { cid: string; peerId: string; signal: AbortSignal },
): Promise<boolean> {
  for await (const row of mesh.ask(peerIdFromString(peerId), { cid }, signal)) {
    const copy = rowSchema.parse(row).copies.find((one) => one.peerId === peerId)
    if (copy !== undefined) return copy.status === 'pinned'
  }
  return false
}
