import { z } from 'zod'
import { certificateCodec, refuse, type Certificate, type Ticket } from '../../protocols/admission/index.ts'
import { defineCodec } from '../../protocols/shared/codec.ts'

/** Durable storage of small values. */
export interface LedgerStore {
  get(key: string): Promise<Uint8Array | undefined>
  /** Resolves only when the value survives a power cut. */
  put(key: string, value: Uint8Array): Promise<void>
}

const LEDGER_KEY = 'admission/tickets'
const MAX_LEDGER_BYTES = 4_194_304
/** All redemptions that are remembered at once: about 1 MB, written whole with each. */
export const MAX_REDEMPTIONS = 2048
/** A joiner that crashed before it had stored its certificate may ask again this long after the ticket's end. */
export const REDEMPTION_GRACE_MS = 7 * 86_400_000

/** `until`: when the redemption may be forgotten, Unix milliseconds. */
interface Redemption {
  ticket: Uint8Array
  subject: string
  until: number
  certificate: Uint8Array
}

type Issue = (issued: Certificate[]) => Promise<Certificate>

interface Ledger {
  /** Tickets that ended by then are gone from the ledger, so they are void even if the clock is set back. */
  forgotten: number
  redemptions: Redemption[]
}

const ledgerCodec = defineCodec<Ledger>(
  'ticket ledger',
  MAX_LEDGER_BYTES,
  z.strictObject({
    forgotten: z.int().min(0),
    redemptions: z.array(
      z.strictObject({
        ticket: z.instanceof(Uint8Array),
        subject: z.string(),
        until: z.int().min(0),
        certificate: z.instanceof(Uint8Array),
      }),
    ),
  }),
)

/** @returns whether anybody has ever entered with a ticket of this node: the first one writes the ledger, and it stays */
export async function hasRedemptions(store: Pick<LedgerStore, 'get'>): Promise<boolean> {
  return (await store.get(LEDGER_KEY)) !== undefined
}

/**
 * Counts the uses of this node's tickets. One redemption at a time, and durable before anybody
 * hears of it: neither a race nor a crash gives a ticket one use more, or burns one.
 */
export class TicketLedger {
  readonly #store: LedgerStore
  readonly #fatal: (error: unknown) => void
  #ledger: Ledger | undefined
  #failure: unknown
  #tail: Promise<unknown> = Promise.resolve()

  /** @param fatal - told when a write failed: the node must stop, since the ledger may be behind what was promised */
  constructor(store: LedgerStore, fatal: (error: unknown) => void) {
    this.#store = store
    this.#fatal = fatal
  }

  /**
   * @param issue - makes the certificate when a use is left; is given all that are remembered
   * @param now - Unix milliseconds
   * @returns the certificate for the subject; the same bytes for the same key, until REDEMPTION_GRACE_MS
   *   after the ticket's end
   * @throws {CodedError} E_TICKET_EXPIRED, E_TICKET_USED, E_ADMISSION_UNAVAILABLE
   */
  redeem(ticket: Ticket, subject: string, now: number, issue: Issue): Promise<Certificate> {
    const redeemed = this.#tail.then(() => this.#redeem(ticket, subject, now, issue))
    this.#tail = redeemed.catch(() => undefined)
    return redeemed
  }

  async #redeem(ticket: Ticket, subject: string, now: number, issue: Issue): Promise<Certificate> {
    if (this.#failure !== undefined) throw this.#failure
    const ledger = prune((this.#ledger ??= await this.#load()), now)
    const uses = ledger.redemptions.filter((each) => sameBytes(each.ticket, ticket.nonce))
    const again = uses.find((each) => each.subject === subject)
    if (again !== undefined) return certificateCodec.decode(again.certificate)
    if (ticket.expires <= now || ticket.expires <= ledger.forgotten) throw refuse('E_TICKET_EXPIRED')
    if (uses.length >= ticket.uses) throw refuse('E_TICKET_USED')
    if (ledger.redemptions.length >= MAX_REDEMPTIONS) throw refuse('E_ADMISSION_UNAVAILABLE')
    const certificate = await issue(ledger.redemptions.map((each) => certificateCodec.decode(each.certificate)))
    const redemption = {
      ticket: ticket.nonce,
      subject,
      until: ticket.expires + REDEMPTION_GRACE_MS,
      certificate: certificateCodec.encode(certificate),
    }
    await this.#save({ ...ledger, redemptions: [...ledger.redemptions, redemption] })
    return certificate
  }

  async #load(): Promise<Ledger> {
    const bytes = await this.#store.get(LEDGER_KEY)
    return bytes === undefined ? { forgotten: 0, redemptions: [] } : ledgerCodec.decode(bytes)
  }

  async #save(ledger: Ledger): Promise<void> {
    try {
      await this.#store.put(LEDGER_KEY, ledgerCodec.encode(ledger))
      this.#ledger = ledger
    } catch (error) {
      this.#failure = error
      this.#fatal(error)
      throw error
    }
  }
}

function prune(ledger: Ledger, now: number): Ledger {
  const over = ledger.redemptions.filter(({ until }) => until <= now)
  if (over.length === 0) return ledger
  const forgotten = Math.max(ledger.forgotten, ...over.map(({ until }) => until - REDEMPTION_GRACE_MS))
  return { forgotten, redemptions: ledger.redemptions.filter(({ until }) => until > now) }
}

function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.compare(a, b) === 0
}
