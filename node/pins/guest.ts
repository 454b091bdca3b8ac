import type { PinOp } from '../../protocols/pins/index.ts'
import { CodedError, codeOf } from '../../protocols/shared/errors.ts'
import type {
  PinDocument,
  PinFilter,
  PinListDocument,
  PinOperations,
  PinOptions,
  PinPage,
  PinStatus,
  PinStatusDocument,
  PinStatusListDocument,
  PinWait,
} from '../operations-pins.ts'
import { untilPinned } from './wait.ts'

/** Of one page that is asked of a full node. */
const MAX_ROWS = 100

export interface GuestInit {
  /** What this node keeps itself. */
  own: PinOperations
  /** Asks a full node of the cell. @throws {CodedError} E_PEER_UNREACHABLE when none is connected, or its refusal */
  ask: (op: PinOp, args: readonly unknown[], signal: AbortSignal) => Promise<unknown>
}

/**
 * The pinset of a light node: it is a guest of its cell, whose full nodes it asks. What it was told to keep itself
 * (`local`) is its own, and comes first wherever one pin is named.
 */
export class GuestPins implements PinOperations {
  readonly #init: GuestInit

  constructor(init: GuestInit) {
    this.#init = init
  }

  async add(path: string, { local, ...options }: PinOptions, signal: AbortSignal): Promise<PinDocument> {
    if (local === true) return this.#init.own.add(path, options, signal)
    return (await this.#init.ask('add', [path, options], signal)) as PinDocument
  }

  async *addAndWait(path: string, options: PinOptions, wait: PinWait, signal: AbortSignal) {
    const { cid } = await this.add(path, options, signal)
    const local = options.local === true
    yield* untilPinned(() => this.status(cid, { local }, signal), wait, signal)
  }

  async remove(path: string, signal: AbortSignal): Promise<PinDocument> {
    const { own, ask } = this.#init
    return (await orElse(
      () => own.remove(path, signal),
      () => ask('remove', [path], signal),
    )) as PinDocument
  }

  async update(from: string, to: string, options: { keep: boolean }, signal: AbortSignal): Promise<PinDocument> {
    const { own, ask } = this.#init
    const asked = (): Promise<unknown> => ask('update', [from, to, options], signal)
    return (await orElse(() => own.update(from, to, options, signal), asked)) as PinDocument
  }

  async list({ local, ...filter }: PinFilter, page: PinPage, signal: AbortSignal): Promise<PinListDocument> {
    if (local === true) return this.#init.own.list(filter, page, signal)
    return (await this.#init.ask('list', [filter, short(page)], signal)) as PinListDocument
  }

  async get(path: string, signal: AbortSignal): Promise<PinDocument> {
    const { own, ask } = this.#init
    return (await orElse(
      () => own.get(path, signal),
      () => ask('get', [path], signal),
    )) as PinDocument
  }

  async status(path: string, { local }: { local: boolean }, signal: AbortSignal): Promise<PinStatusDocument> {
    const { own, ask } = this.#init
    const here = (): Promise<PinStatusDocument> => own.status(path, { local: true }, signal)
    if (local) return here()
    return (await orElse(here, () => ask('status', [path], signal))) as PinStatusDocument
  }

  async statuses(
    { local: isOwn, ...filter }: PinFilter & { statuses?: readonly PinStatus[] },
    { local, ...page }: PinPage & { local: boolean },
    signal: AbortSignal,
  ): Promise<PinStatusListDocument> {
    const { own, ask } = this.#init
    if (local || isOwn === true) return own.statuses(filter, { ...page, local: true }, signal)
    return (await ask('statuses', [filter, short(page)], signal)) as PinStatusListDocument
  }

  async recover(path: string | undefined, { local }: { local: boolean }, signal: AbortSignal) {
    const { own, ask } = this.#init
    const here = (): Promise<{ recovered: number }> => own.recover(path, { local: true }, signal)
    const there = async (): Promise<{ recovered: number }> =>
      (await ask('recover', [path ?? null, { local: false }], signal)) as { recovered: number }
    if (local) return here()
    if (path !== undefined) return (await orElse(here, there)) as { recovered: number }
    const [mine, others] = [await here(), await there()]
    return { recovered: mine.recovered + others.recovered }
  }

  verify(path: string, options: { repair: boolean }, signal: AbortSignal) {
    return this.#init.own.verify(path, options, signal)
  }

  async plan(): Promise<never> {
    throw notHere('what repair would move')
  }

  export(): never {
    throw notHere('the pinset of a cell as a file')
  }

  import(): never {
    throw notHere('the pinset of a cell from a file')
  }
}

/** What this node keeps itself is not taken for what its cell has agreed on. */
function notHere(what: string): CodedError {
  return new CodedError('E_NOT_IN_ROLE', `a light node does not have ${what}`, {
    hint: 'ask a full node of the cell; `kairos pin ls --local` lists what this node keeps itself',
  })
}

/** Asks the cell about what this node does not keep itself. */
async function orElse<T>(here: () => Promise<T>, there: () => Promise<unknown>): Promise<unknown> {
  try {
    return await here()
  } catch (error) {
    if (codeOf(error) !== 'E_PIN_UNKNOWN') throw error
    return there()
  }
}

function short(page: PinPage): PinPage {
  return { ...page, limit: Math.min(page.limit, MAX_ROWS) }
}

export function noHost(cell: string): CodedError {
  return new CodedError('E_PEER_UNREACHABLE', `no full node of cell ${cell} is connected: a light node asks one`, {
    hint: '`kairos peers` shows who is there; to keep it on this node alone: --local',
  })
}
