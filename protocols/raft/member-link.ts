import type { Stream } from '@libp2p/interface'
import { CodedError } from '../shared/errors.ts'
import { messageCodec, type LaneName, type RaftFrame } from './codec.ts'
import { BULK_QUEUE, MAX_MESSAGE_BYTES, STALL_MS, URGENT_QUEUE } from './constants.ts'
import { Lane } from './lane.ts'

export interface MemberLinkInit {
  openStream(signal: AbortSignal): Promise<Stream>
  /** Once per outage: from the first loss until all that waits has been written. */
  unreachable(code: string): void
  /** What became of the snapshot offered last. */
  snapshotSent(index: number, ok: boolean): void
}

/** Two lanes to one member, so that a heartbeat does not wait behind megabytes of appends (spec.md, "Lanes"). */
export class MemberLink {
  readonly #init: MemberLinkInit
  readonly #lanes: Readonly<Record<LaneName, Lane>>
  readonly #failing = new Set<LaneName>()
  #offered: number | undefined

  constructor(init: MemberLinkInit) {
    this.#init = init
    this.#lanes = { urgent: this.#lane('urgent'), bulk: this.#lane('bulk') }
  }

  /** @param isLazy - may wait a moment for what follows it. @throws {CodedError} E_FRAME_TOO_LARGE */
  send(lane: LaneName, frame: RaftFrame, isLazy = false): void {
    if (frame.type === 'message' && frame.bytes.byteLength > MAX_MESSAGE_BYTES) {
      throw new CodedError('E_FRAME_TOO_LARGE', `${frame.bytes.byteLength} bytes, the limit is ${MAX_MESSAGE_BYTES}`)
    }
    const bytes = messageCodec.encode(frame)
    if (frame.type === 'message' && frame.snapshot !== undefined) this.#offered = frame.snapshot.index
    this.#lanes[lane].push(bytes, isLazy)
  }

  /** The member says what became of an offer; of an older one it is no longer of interest. */
  settle(index: number, ok: boolean): void {
    if (this.#offered !== index) return
    this.#offered = undefined
    this.#init.snapshotSent(index, ok)
  }

  connected(): void {
    for (const lane of Object.values(this.#lanes)) lane.connected()
  }

  stop(): void {
    for (const lane of Object.values(this.#lanes)) lane.stop()
  }

  #lane(name: LaneName): Lane {
    const limits =
      name === 'bulk' ? { ...BULK_QUEUE, drop: 'newest' as const } : { ...URGENT_QUEUE, drop: 'oldest' as const }
    return new Lane({
      name,
      limits,
      stallMs: STALL_MS,
      openStream: this.#init.openStream,
      onLost: (code) => this.#lost(name, code),
      onWritten: () => this.#failing.delete(name),
    })
  }

  #lost(name: LaneName, code: string): void {
    if (this.#failing.size === 0) this.#init.unreachable(code)
    this.#failing.add(name)
    // The offer, or the word on it, may have been in what was lost.
    if (this.#offered !== undefined) this.settle(this.#offered, false)
  }
}
