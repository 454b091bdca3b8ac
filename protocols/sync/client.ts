import type { PeerId, Stream } from '@libp2p/interface'
import { ask } from '../shared/ask.ts'
import { CodedError } from '../shared/errors.ts'
import { answerCodec, requestCodec, type SyncAnswer, type SyncRequest } from './codec.ts'
import {
  FOLLOW_SILENCE_MS,
  MAX_ANSWER_BYTES,
  MAX_EARLY_HEADS,
  MAX_RANGE,
  MIN_HEARTBEAT_MS,
  RANGE_SILENCE_MS,
  REQUEST_TIMEOUT_MS,
} from './constants.ts'
import type { SyncEpoch, SyncHead } from './types.ts'

/**
 * Asks one peer; nothing of what it says is checked but that it is what was asked for. Leaving a loop early cancels the
 * request. All throw {CodedError} E_PEER_UNREACHABLE, E_STREAM_CLOSED, E_SYNC_PROTOCOL, E_TIMEOUT, E_ABORTED, E_FRAME_*, or the code of the
 * peer's refusal: E_SYNC_PRUNED, E_SYNC_UNKNOWN, E_SYNC_BUSY, E_SYNC_STRANGER, E_SYNC_STALLED.
 */
export interface SyncClient {
  head(peer: PeerId, signal: AbortSignal): Promise<SyncHead>
  /** `from`, `from + 1` and so on, at most `count` (1 to 64): fewer where the peer has no more. */
  range(peer: PeerId, from: number, count: number, signal: AbortSignal): AsyncGenerator<SyncEpoch>
  /** Epochs from `from` on as they become final at the peer, without an end, and now and then where its head is. */
  follow(peer: PeerId, from: number, signal: AbortSignal): AsyncGenerator<SyncFollowed>
  /** The encoded state after the epoch of this height. */
  state(peer: PeerId, height: number, signal: AbortSignal): Promise<Uint8Array>
}

export type SyncFollowed = { readonly epoch: SyncEpoch } | { readonly head: SyncHead }

/** Longest waits, ms: a whole `head` or `state`; between two frames of a range; of a peer that is followed. */
export interface SyncTimeouts {
  requestMs?: number
  rangeSilenceMs?: number
  followSilenceMs?: number
}

/** @param open - on the connection that there is, or on a new one */
export function createSyncClient(
  open: (peer: PeerId, signal: AbortSignal) => Promise<Stream>,
  timeouts: SyncTimeouts = {},
): SyncClient {
  return new Client(open, timeouts)
}

class Client implements SyncClient {
  readonly #open: (peer: PeerId, signal: AbortSignal) => Promise<Stream>
  readonly #timeouts: SyncTimeouts

  constructor(open: (peer: PeerId, signal: AbortSignal) => Promise<Stream>, timeouts: SyncTimeouts) {
    this.#open = open
    this.#timeouts = timeouts
  }

  async head(peer: PeerId, signal: AbortSignal): Promise<SyncHead> {
    for await (const answer of this.#ask(peer, { type: 'head' }, signal, this.#whole)) {
      if (answer.type === 'head') return headOf(answer)
      throw broken('no head came')
    }
    throw brokenOff()
  }

  async *range(peer: PeerId, from: number, count: number, signal: AbortSignal): AsyncGenerator<SyncEpoch> {
    if (count < 1 || count > MAX_RANGE) throw new RangeError(`1 to ${MAX_RANGE} epochs, not ${count}`)
    const silence = { silenceMs: this.#timeouts.rangeSilenceMs ?? RANGE_SILENCE_MS }
    let height = from
    for await (const answer of this.#ask(peer, { type: 'range', from, count }, signal, silence)) {
      if (answer.type === 'end') return
      if (height >= from + count) throw broken('more epochs than were asked for')
      yield epochOf(answer, height++)
    }
    throw brokenOff()
  }

  async *follow(peer: PeerId, from: number, signal: AbortSignal): AsyncGenerator<SyncFollowed> {
    const silence = { silenceMs: this.#timeouts.followSilenceMs ?? FOLLOW_SILENCE_MS }
    let height = from
    let heads = 0
    const since = performance.now()
    for await (const answer of this.#ask(peer, { type: 'follow', from }, signal, silence)) {
      if (answer.type !== 'head') {
        yield { epoch: epochOf(answer, height++) }
        continue
      }
      // Epochs cost their sender valid signatures; signs of life would keep this node at work for nothing.
      if (++heads > MAX_EARLY_HEADS + (performance.now() - since) / MIN_HEARTBEAT_MS)
        throw broken('signs of life without a pause')
      yield { head: headOf(answer) }
    }
    throw brokenOff()
  }

  async state(peer: PeerId, height: number, signal: AbortSignal): Promise<Uint8Array> {
    for await (const answer of this.#ask(peer, { type: 'state', height }, signal, this.#whole)) {
      if (answer.type === 'state' && answer.height === height) return answer.bytes
      throw broken('no state came')
    }
    throw brokenOff()
  }

  get #whole(): { timeoutMs: number } {
    return { timeoutMs: this.#timeouts.requestMs ?? REQUEST_TIMEOUT_MS }
  }

  async *#ask(
    peer: PeerId,
    request: SyncRequest,
    signal: AbortSignal,
    patience: { timeoutMs?: number; silenceMs?: number },
  ): AsyncGenerator<SyncAnswer> {
    const options = { ...patience, signal, maxFrameBytes: MAX_ANSWER_BYTES, brokenCode: 'E_STREAM_CLOSED' }
    for await (const frame of ask((signal) => this.#open(peer, signal), requestCodec.encode(request), options)) {
      const answer = answerCodec.decode(frame)
      if (answer.type === 'refused') throw new CodedError(answer.code, answer.message)
      yield answer
    }
  }
}

function epochOf(answer: SyncAnswer, height: number): SyncEpoch {
  if (answer.type !== 'epoch' || answer.height !== height) throw broken(`no epoch ${height} where it was its turn`)
  return { height, block: answer.block, certificate: answer.certificate }
}

function headOf({ height, value, lowest }: SyncHead): SyncHead {
  return { height, value, lowest }
}

/** By a peer that stops, or a connection that was lost: a stream that was reset looks like one that was ended. */
function brokenOff(): CodedError {
  return new CodedError('E_STREAM_CLOSED', 'the answer broke off')
}

function broken(what: string): CodedError {
  return new CodedError('E_SYNC_PROTOCOL', what)
}
