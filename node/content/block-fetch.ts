import type { PeerId } from '@libp2p/interface'
import type { CID } from 'multiformats/cid'
import type { BlocksClient } from '../../protocols/blocks/index.ts'
import { CodedError, codeOf, messageOf } from '../../protocols/shared/errors.ts'
import { ASK_CHECK_MS, IDLE_HEDGE_MS, PEER_SILENCE_MS, SILENT_HEDGE_MS } from './constants.ts'
import type { FetchProblem } from './fetch-problem.ts'
import type { Holder, Holders } from './holders.ts'

export interface BlockFetchInit {
  cid: CID
  holders: Holders
  client: BlocksClient
  signal: AbortSignal
  put(bytes: Uint8Array): Promise<void>
  /** Gets the block from anyone. @throws when nobody sends it in time */
  search(signal: AbortSignal): Promise<Uint8Array>
  onProblem(code: FetchProblem['code'], message: string): void
}

type Outcome = { bytes: Uint8Array } | { failed: unknown } | 'nothing'

interface Ask {
  readonly outcome: Promise<Outcome>
  readonly sinceMs: number
  readonly holder: Holder | undefined
  readonly cancel: AbortController
}

/**
 * One block from whoever sends it first. The least busy holder is asked; the next one, and at last everybody, when it
 * has the block not, fails, or is silent: so a slow peer's wants go to others. All that is still asked is then taken back.
 */
export class BlockFetch {
  readonly #init: BlockFetchInit
  readonly #asks = new Set<Ask>()
  readonly #tried = new Set<Holder>()
  #hasSearched = false
  #isEnded = false
  #failure: unknown

  constructor(init: BlockFetchInit) {
    this.#init = init
  }

  /** @throws what `put` or `search` throws, the signal's reason */
  async run(): Promise<Uint8Array> {
    const { signal } = this.#init
    // One listener, not an AbortSignal.any for each ask: those cost more than a small block does.
    const cancel = (): void => this.#cancelAll()
    signal.addEventListener('abort', cancel)
    try {
      for (;;) {
        signal.throwIfAborted()
        this.#askMore()
        if (this.#asks.size === 0) throw this.#failure
        const outcome = await this.#next()
        if (typeof outcome !== 'object') continue
        if ('bytes' in outcome) return outcome.bytes
        this.#failure = outcome.failed
      }
    } finally {
      signal.removeEventListener('abort', cancel)
      this.#isEnded = true
      this.#cancelAll()
    }
  }

  #cancelAll(): void {
    for (const { cancel } of this.#asks) cancel.abort(this.#init.signal.reason)
  }

  #askMore(): void {
    this.#giveUpSilent()
    const isSilent = this.#isAllSilent()
    const holder = this.#init.holders.next(this.#tried, (other) => isSilent || this.#isIdle(other))
    if (holder !== undefined && (isSilent || this.#isOld())) this.#ask(holder)
    else if (isSilent) this.#lookAround()
  }

  /** True without any asks. A search is silent by nature. */
  #isAllSilent(): boolean {
    const { client } = this.#init
    return [...this.#asks].every(
      ({ holder }) => holder === undefined || client.silentMs(holder.peer) >= SILENT_HEDGE_MS,
    )
  }

  #isOld(): boolean {
    return [...this.#asks].every(({ sinceMs }) => performance.now() - sinceMs >= IDLE_HEDGE_MS)
  }

  #isIdle({ peer }: Holder): boolean {
    return this.#init.client.pending(peer) === 0
  }

  #giveUpSilent(): void {
    for (const { holder, cancel } of this.#asks) {
      if (holder !== undefined && this.#init.client.silentMs(holder.peer) >= PEER_SILENCE_MS) cancel.abort()
    }
  }

  async #next(): Promise<Outcome | undefined> {
    let timer: NodeJS.Timeout | undefined
    const tick = new Promise<undefined>((resolve) => {
      timer = setTimeout(resolve, ASK_CHECK_MS, undefined)
    })
    try {
      return await Promise.race([tick, ...[...this.#asks].map(({ outcome }) => outcome)])
    } finally {
      clearTimeout(timer)
    }
  }

  /** At once: the next block of the same turn sees what this one wants of whom. */
  #start(holder: Holder | undefined, work: (signal: AbortSignal) => Promise<Outcome>): void {
    const cancel = new AbortController()
    const { promise, resolve, reject } = Promise.withResolvers<Outcome>()
    promise.catch(() => {})
    const ask: Ask = { sinceMs: performance.now(), holder, cancel, outcome: promise }
    this.#asks.add(ask)
    work(cancel.signal)
      .finally(() => this.#asks.delete(ask))
      .then(resolve, reject)
  }

  #ask(holder: Holder): void {
    this.#tried.add(holder)
    const { cid, client, put } = this.#init
    this.#start(holder, async (signal) => {
      let ours: { error: unknown } | undefined
      const take = async (bytes: Uint8Array): Promise<void> => {
        await put(bytes).catch((error: unknown) => {
          ours = { error }
          throw error
        })
      }
      try {
        const bytes = await client.want(holder.peer, cid, { take, signal })
        return bytes === undefined ? 'nothing' : { bytes }
      } catch (error) {
        // Ours, of the disk or the quota: no other peer would help.
        if (ours !== undefined) throw ours.error
        if (this.#isEnded || this.#init.signal.aborted) throw error
        this.#blame(holder, error)
        return 'nothing'
      }
    })
  }

  #blame(holder: Holder, error: unknown): void {
    const { holders, onProblem } = this.#init
    const code = codeOf(error)
    if (code === 'E_BLOCKS_UNSUPPORTED') holder.isMute = true
    else if (code === 'E_BLOCKS_DIAL') onProblem('dial_failed', messageOf(error))
    else onProblem('stalled', error instanceof CodedError ? messageOf(error) : silence(holder.peer))
    if (code === 'E_BLOCKS_WRONG') holders.remove(holder.peer)
  }

  /** Everybody is asked, once; but one search at a time in an operation: whoever it finds is asked first. */
  #lookAround(): void {
    if ([...this.#asks].some(({ holder }) => holder === undefined)) return
    const { holders, search } = this.#init
    const other = holders.search
    if (other !== undefined) {
      this.#start(undefined, async () => {
        await other
        return 'nothing'
      })
    } else if (!this.#hasSearched) {
      this.#hasSearched = true
      this.#start(undefined, async (signal) => {
        try {
          return { bytes: await holders.searching(search(signal)) }
        } catch (failed) {
          return { failed }
        }
      })
    }
  }
}

function silence(peer: PeerId): string {
  return `${peer} sent nothing for ${PEER_SILENCE_MS / 1000} s`
}
