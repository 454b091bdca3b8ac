import type { PeerId, Stream } from '@libp2p/interface'
import { encode as varint } from 'uint8-varint'
import { concat } from 'uint8arrays/concat'
import { CodedError } from '../shared/errors.ts'
import { Lane } from '../shared/lane.ts'
import { frameCodec, refusalCodec, type BftFrame } from './codec.ts'
import { MAX_BATCH_BYTES, STALL_MS } from './constants.ts'
import { PeerQueue, type Priority } from './queue.ts'

/** Whom this node talks to. */
export interface BftPeer {
  readonly peer: PeerId
  /** Votes at the running height or the next; the others hear of governance and attestations only. */
  readonly isValidator: boolean
}

export interface LinksInit {
  self: PeerId
  /** Another array whenever it changed. */
  peers(): readonly BftPeer[]
  openStream(peer: PeerId, signal: AbortSignal): Promise<Stream>
  /** Something for the peer was lost: E_BFT_QUEUE_FULL, or why its stream cannot be opened or broke. */
  lost(peer: PeerId, code: string): void
  /** The peer is none any more. */
  ended(peer: PeerId): void
}

interface Link extends BftPeer {
  readonly queue: PeerQueue
  readonly lane: Lane
}

export interface Envelope {
  readonly frame: BftFrame
  readonly priority: Priority
  /** what is of a lower one goes first where not all fits; 0 for what is of none */
  readonly height: number
}

/** One stream to each peer, and what waits for it. */
export class Links {
  readonly #init: LinksInit
  readonly #links = new Map<string, Link>()
  #peers: readonly BftPeer[] = []
  #isStopped = false

  constructor(init: LinksInit) {
    this.#init = init
  }

  /** Those that vote. */
  get validators(): PeerId[] {
    this.#refresh()
    return [...this.#links.values()].filter(({ isValidator }) => isValidator).map(({ peer }) => peer)
  }

  isValidator(peer: PeerId): boolean {
    this.#refresh()
    return this.#links.get(peer.toString())?.isValidator === true
  }

  toValidators(envelope: Envelope): void {
    this.#send(envelope, ({ isValidator }) => isValidator)
  }

  toAll(envelope: Envelope, except?: PeerId): void {
    this.#send(envelope, ({ peer }) => except?.equals(peer) !== true)
  }

  to(peers: readonly PeerId[], envelope: Envelope): void {
    this.#send(envelope, ({ peer }) => peers.some((to) => to.equals(peer)))
  }

  connected(peer: PeerId): void {
    this.#links.get(peer.toString())?.lane.connected()
  }

  stop(): void {
    this.#isStopped = true
    for (const { lane } of this.#links.values()) lane.stop()
    this.#links.clear()
  }

  #send({ frame, priority, height }: Envelope, wants: (peer: BftPeer) => boolean): void {
    this.#refresh()
    const to = [...this.#links.values()].filter(wants)
    if (to.length === 0) return
    const encoded = frameCodec.encode(frame)
    const bytes = concat([varint(encoded.byteLength), encoded])
    for (const { peer, queue, lane } of to) {
      if (queue.push(priority, height, bytes) > 0) this.#init.lost(peer, 'E_BFT_QUEUE_FULL')
      lane.send()
    }
  }

  #refresh(): void {
    const peers = this.#isStopped ? [] : this.#init.peers()
    if (peers === this.#peers) return
    this.#peers = peers
    const wanted = new Map(peers.map((peer) => [peer.peer.toString(), peer]))
    wanted.delete(this.#init.self.toString())
    for (const [id, { peer, lane }] of this.#links) {
      if (wanted.has(id)) continue
      lane.stop()
      this.#links.delete(id)
      this.#init.ended(peer)
    }
    for (const [id, peer] of wanted) this.#links.set(id, { ...(this.#links.get(id) ?? this.#link(peer.peer)), ...peer })
  }

  #link(peer: PeerId): Omit<Link, 'isValidator'> {
    const queue = new PeerQueue()
    const lane = new Lane({
      queue,
      refusalOf,
      maxBatchBytes: MAX_BATCH_BYTES,
      stallMs: STALL_MS,
      openStream: (signal) => this.#init.openStream(peer, signal),
      onLost: (code) => this.#init.lost(peer, code),
      onWritten: () => undefined,
    })
    return { peer, queue, lane }
  }
}

function refusalOf(frame: Uint8Array): Error {
  const { code, message } = refusalCodec.decode(frame)
  return new CodedError(code, message)
}
