import type { Libp2p, Logger, PeerId } from '@libp2p/interface'
import { codeOf, messageOf } from '../shared/errors.ts'
import { ignore, type Verdict } from '../shared/verdict.ts'
import type { SnapshotMeta } from '../../consensus/cell/engine.ts'
import type { Transport } from '../../consensus/cell/ports.ts'
import type { RequestPorts } from './answers.ts'
import type { OpenStream } from './client.ts'
import type { RaftFrame, RaftMessage } from './codec.ts'
import { createRaftHandler, type RaftHandler, type RaftHandlerInit } from './handler.ts'
import { MemberLinks } from './member-links.ts'
import { SnapshotGate, type BeforeSnapshot } from './snapshot-gate.ts'

export interface ReceivedMessage {
  readonly peer: PeerId
  readonly from: number
  readonly to: number
  readonly bytes: Uint8Array
  readonly snapshot: SnapshotMeta | undefined
}

export interface RaftTransportInit extends RequestPorts, Pick<RaftHandlerInit, 'memberOf' | 'refused' | 'judge'> {
  libp2p: Libp2p
  openStream: OpenStream
  /** This node's raft id, 0 while it has none. */
  self(): number
  /**
   * May overtake appends: heartbeats, votes, and the answers to them. Everything else keeps its order; taken for an
   * urgent one, an append that overtakes another is refused and sent again.
   */
  isUrgent(message: Uint8Array): boolean
  /** Need not be heard at once; it may wait for what is sent to the member next. */
  isLazy?(to: number, message: Uint8Array): boolean
  /** A promise holds back the sender. */
  deliver(message: ReceivedMessage): void | Promise<void>
  /** Brings the blocks of an offered snapshot here; `signal` aborts when a newer offer takes its place. */
  beforeSnapshot: BeforeSnapshot
  /** Once per outage of a member; never from within `send`. */
  unreachable(raftId: number): void
  /** The last offer to a member was taken or lost; never from within `send`. */
  snapshotSent(raftId: number, ok: boolean): void
  log: Logger
}

export interface RaftTransport extends Transport {
  start(): Promise<void>
  /** Ends all streams and the fetch under way, for good; idempotent. */
  stop(): Promise<void>
  /** Who has which raft id, by the agreed state; replaces what was said before. This node itself may be among them. */
  members(map: ReadonlyMap<number, PeerId>): void
  /** There is a connection to the peer again: do not wait to try. */
  connected(peer: PeerId): void
}

/** The engine's messages over `/kairos/raft/1.0.0`, and the answers to requests (spec.md). */
export function createRaftTransport(init: RaftTransportInit): RaftTransport {
  return new LibP2pTransport(init)
}

class LibP2pTransport implements RaftTransport {
  readonly #init: RaftTransportInit
  readonly #handler: RaftHandler
  readonly #gate: SnapshotGate
  readonly #links: MemberLinks

  constructor(init: RaftTransportInit) {
    this.#init = init
    this.#gate = new SnapshotGate(init.beforeSnapshot)
    this.#links = new MemberLinks(init)
    this.#handler = createRaftHandler({
      libp2p: init.libp2p,
      memberOf: (peer) => init.memberOf(peer),
      join: (peer, incarnation, signal) => init.join(peer, incarnation, signal),
      block: (cid, signal) => init.block(cid, signal),
      refused: (peer, code) => init.refused(peer, code),
      judge: (peer, verdict) => init.judge(peer, verdict),
      log: init.log,
      onFrame: (peer, frame) => this.#onFrame(peer, frame),
    })
  }

  async start(): Promise<void> {
    await this.#handler.start()
  }

  async stop(): Promise<void> {
    await this.#handler.stop()
    await this.#gate.stop()
    this.#links.stop()
  }

  members(map: ReadonlyMap<number, PeerId>): void {
    this.#links.members(map)
  }

  connected(peer: PeerId): void {
    this.#links.connected(peer)
  }

  send(to: number, bytes: Uint8Array, snapshot: SnapshotMeta | undefined): void {
    const lane = snapshot === undefined && this.#init.isUrgent(bytes) ? 'urgent' : 'bulk'
    const frame = { type: 'message' as const, from: this.#init.self(), to, bytes }
    if (snapshot !== undefined) this.#links.send(lane, { ...frame, snapshot: copyOf(snapshot) })
    else this.#links.send(lane, frame, this.#init.isLazy?.(to, bytes) === true)
  }

  #onFrame(peer: PeerId, frame: RaftFrame): void | Promise<void> {
    const verdict = this.#check(peer, frame)
    if (verdict !== undefined) return this.#init.judge(peer, verdict)
    this.#links.learn(frame.from, peer)
    if (frame.type === 'report') return this.#links.settle(frame.from, frame.index, frame.ok)
    if (frame.snapshot === undefined) return this.#deliver(peer, frame)
    return this.#offer(peer, frame, frame.snapshot)
  }

  /**
   * Only what is meant for the id that the cell gave to this incarnation, and only as itself. The sender's id may be newer
   * than what is known here (a follower that lags behind a new leader), never older, and never another's.
   */
  #check(peer: PeerId, { from, to }: RaftFrame): Verdict | undefined {
    const known = this.#init.memberOf(peer)?.raftId ?? 0
    if (to !== this.#init.self() || from < known || !this.#links.maySpeak(from, peer)) return ignore('E_RAFT_WRONG_ID')
    return undefined
  }

  #deliver(peer: PeerId, { from, to, bytes, snapshot }: RaftMessage): void | Promise<void> {
    return this.#init.deliver({ peer, from, to, bytes, snapshot })
  }

  #offer(peer: PeerId, message: RaftMessage, meta: SnapshotMeta): void {
    const { from, to } = message
    this.#gate.offer({
      meta,
      from: peer,
      deliver: () => this.#deliver(peer, message),
      settled: (ok, error) => {
        if (error !== undefined) this.#init.log('snapshot of %p - %s %s', peer, codeOf(error), messageOf(error))
        this.#links.send('urgent', { type: 'report', from: to, to: from, index: meta.index, ok })
      },
    })
  }
}

/** The port's arrays are read-only, the codec's are not. */
function copyOf({ index, term, configuration, root }: SnapshotMeta): NonNullable<RaftMessage['snapshot']> {
  const { voters, learners, votersOutgoing, learnersNext } = configuration
  return {
    index,
    term,
    configuration: {
      voters: [...voters],
      learners: [...learners],
      votersOutgoing: [...votersOutgoing],
      learnersNext: [...learnersNext],
    },
    root,
  }
}
