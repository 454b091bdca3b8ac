import type { Stream } from '@libp2p/interface'
import { encode as varint } from 'uint8-varint'
import { concat } from 'uint8arrays/concat'
import { CodedError } from '../shared/errors.ts'
import { Lane as OutboundLane } from '../shared/lane.ts'
import { answerCodec, openingCodec, type LaneName } from './codec.ts'
import { LAZY_MS, MAX_BATCH_BYTES } from './constants.ts'
import { SendQueue, type QueueLimits } from './send-queue.ts'

export interface LaneInit {
  name: LaneName
  limits: QueueLimits
  /** a batch that the member does not take for so long costs the stream */
  stallMs: number
  openStream(signal: AbortSignal): Promise<Stream>
  /** Something was lost: not opened, broken off, refused or too much. Called again and again while it lasts. */
  onLost(code: string): void
  /** Everything that waited has been written. */
  onWritten(): void
}

/** One of the two streams to a member, and what waits for it. */
export class Lane {
  readonly #init: LaneInit
  readonly #queue: SendQueue
  readonly #lane: OutboundLane

  constructor(init: LaneInit) {
    this.#init = init
    this.#queue = new SendQueue(init.limits)
    this.#lane = new OutboundLane({
      queue: this.#queue,
      opening: openingCodec.encode({ type: 'messages', lane: init.name }),
      refusalOf,
      maxBatchBytes: MAX_BATCH_BYTES,
      stallMs: init.stallMs,
      lazyMs: LAZY_MS,
      openStream: (signal) => init.openStream(signal),
      onLost: (code) => init.onLost(code),
      onWritten: () => init.onWritten(),
    })
  }

  /** @param isLazy - it may wait a moment for company; its order stays */
  push(frame: Uint8Array, isLazy = false): void {
    if (this.#lane.isStopped) return
    const dropped = this.#queue.push(concat([varint(frame.byteLength), frame]))
    if (dropped > 0) this.#init.onLost('E_RAFT_QUEUE_FULL')
    this.#lane.send(isLazy)
  }

  connected(): void {
    this.#lane.connected()
  }

  stop(): void {
    this.#lane.stop()
  }
}

function refusalOf(frame: Uint8Array): Error {
  const answer = answerCodec.decode(frame)
  if (answer.type === 'refused') return new CodedError(answer.code, answer.message)
  return new CodedError('E_RAFT_PROTOCOL', 'an answer on a stream of messages')
}
