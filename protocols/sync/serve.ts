import { setTimeout as delay } from 'node:timers/promises'
import type { Stream } from '@libp2p/interface'
import { drained } from '../shared/drain.ts'
import { CodedError } from '../shared/errors.ts'
import { sendFrame } from '../shared/frames.ts'
import type { Pace } from '../shared/pace.ts'
import { answerCodec, type SyncAnswer, type SyncRequest } from './codec.ts'
import { MIN_ANSWER_COST_BYTES } from './constants.ts'
import type { SyncEpoch, SyncHead } from './types.ts'

/** What is handed out. */
export interface SyncChain {
  head(): SyncHead
  /** @returns undefined for what is not final here, or no longer kept */
  epoch(height: number): Promise<SyncEpoch | undefined>
  /** The state after the epoch of this height, encoded. @returns undefined where it is not kept */
  state(height: number): Promise<Uint8Array | undefined>
  /** Told whenever the head has moved. @returns what takes the listener away */
  onHead(listener: () => void): () => void
}

export interface AnswererInit {
  chain: SyncChain
  pace: Pace
  heartbeatMs: number
  stallMs: number
}

interface To {
  readonly stream: Stream
  readonly peer: string
  readonly signal: AbortSignal
}

/** Answers one request: an epoch is read when the one before has been taken, so that a slow reader holds no memory here. */
export class Answerer {
  readonly #init: AnswererInit

  constructor(init: AnswererInit) {
    this.#init = init
  }

  /** @throws {CodedError} E_SYNC_PRUNED, E_SYNC_UNKNOWN, E_SYNC_STALLED, E_STREAM_CLOSED, E_ABORTED */
  async answer(stream: Stream, peer: string, request: SyncRequest, signal: AbortSignal): Promise<void> {
    const to = { stream, peer, signal }
    switch (request.type) {
      case 'head':
        return this.#send(to, { type: 'head', ...this.#init.chain.head() })
      case 'range':
        return this.#range(to, request.from, request.count)
      case 'follow':
        return this.#follow(to, request.from)
      case 'state':
        return this.#state(to, request.height)
    }
  }

  /** As many as there are; the asker sees by their heights what is missing. */
  async #range(to: To, from: number, count: number): Promise<void> {
    for (let height = from; height < from + count && height <= this.#init.chain.head().height; height++) {
      await this.#send(to, await this.#epoch(height))
    }
    await this.#send(to, { type: 'end' })
  }

  async #follow(to: To, from: number): Promise<void> {
    const { chain } = this.#init
    if (from < chain.head().lowest) throw pruned(from)
    const wake = new Wake()
    const unlisten = chain.onHead(() => wake.ring())
    try {
      await this.#send(to, { type: 'head', ...chain.head() })
      for (let height = from; ;) {
        if (height <= chain.head().height) await this.#send(to, await this.#epoch(height++))
        else if (!(await wake.rung(this.#init.heartbeatMs, to.signal)))
          await this.#send(to, { type: 'head', ...chain.head() })
      }
    } finally {
      unlisten()
    }
  }

  async #state(to: To, height: number): Promise<void> {
    const bytes = await this.#init.chain.state(height)
    if (bytes === undefined) throw new CodedError('E_SYNC_UNKNOWN', `the state after epoch ${height} is not kept here`)
    await this.#send(to, { type: 'state', height, bytes })
  }

  async #epoch(height: number): Promise<SyncAnswer> {
    const epoch = await this.#init.chain.epoch(height)
    if (epoch === undefined) throw pruned(height)
    return { type: 'epoch', height, block: epoch.block, certificate: epoch.certificate }
  }

  async #send({ stream, peer, signal }: To, answer: SyncAnswer): Promise<void> {
    const frame = answerCodec.encode(answer)
    const cost = Math.max(frame.byteLength, MIN_ANSWER_COST_BYTES)
    const waitMs = this.#init.pace.take(peer, cost, performance.now())
    if (waitMs > 0) await delay(waitMs, undefined, { signal })
    signal.throwIfAborted()
    if (sendFrame(stream, frame)) return
    const stalled = AbortSignal.timeout(this.#init.stallMs)
    try {
      await drained(stream, AbortSignal.any([signal, stalled]))
    } catch (error) {
      if (signal.aborted || !stalled.aborted) throw error
      throw new CodedError('E_SYNC_STALLED', `the peer took nothing for ${this.#init.stallMs / 1000} s`)
    }
  }
}

/** Waits for the head to move; what moved it while nobody waited is not lost. */
class Wake {
  #isRung = false
  #resolve: ((rung: boolean) => void) | undefined

  ring(): void {
    this.#isRung = true
    this.#resolve?.(true)
  }

  /** @returns false when it was not within `ms`. @throws the signal's reason */
  async rung(ms: number, signal: AbortSignal): Promise<boolean> {
    signal.throwIfAborted()
    if (!this.#isRung) await this.#wait(ms, signal)
    signal.throwIfAborted()
    const isRung = this.#isRung
    this.#isRung = false
    return isRung
  }

  async #wait(ms: number, signal: AbortSignal): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<boolean>()
    this.#resolve = resolve
    const stop = (): void => resolve(false)
    const timer = setTimeout(stop, ms)
    signal.addEventListener('abort', stop, { once: true })
    await promise
    clearTimeout(timer)
    signal.removeEventListener('abort', stop)
    this.#resolve = undefined
  }
}

function pruned(height: number): CodedError {
  return new CodedError('E_SYNC_PRUNED', `epoch ${height} is no longer kept here`)
}
