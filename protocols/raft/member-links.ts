import type { Logger, PeerId } from '@libp2p/interface'
import { codeOf, messageOf } from '../shared/errors.ts'
import type { OpenStream } from './client.ts'
import type { LaneName, RaftFrame } from './codec.ts'
import { MAX_MEMBERS } from './constants.ts'
import { MemberLink } from './member-link.ts'

export interface MemberLinksInit {
  openStream: OpenStream
  unreachable(raftId: number): void
  snapshotSent(raftId: number, ok: boolean): void
  log: Logger
}

interface Linked {
  readonly peer: PeerId
  readonly link: MemberLink
}

/** The link of each raft id. */
export class MemberLinks {
  readonly #init: MemberLinksInit
  readonly #links = new Map<number, Linked>()
  /** ids that the state does not name yet: how a follower that lags answers a leader newer than its state */
  readonly #learned = new Map<number, PeerId>()
  /** ids without a peer, each reported once */
  readonly #unknown = new Set<number>()
  #agreed: ReadonlyMap<number, PeerId> = new Map()
  #newest = 0
  #isStopped = false

  constructor(init: MemberLinksInit) {
    this.#init = init
  }

  /** The state's word goes before what was learned. */
  members(map: ReadonlyMap<number, PeerId>): void {
    this.#agreed = new Map(map)
    this.#unknown.clear()
    this.#newest = Math.max(0, ...map.keys())
    for (const id of this.#learned.keys()) if (id <= this.#newest) this.#learned.delete(id)
    for (const [id, { peer, link }] of this.#links) {
      if (this.#peerOf(id)?.equals(peer) !== true) this.#unlink(id, link)
    }
  }

  /** Whether a peer may speak as `id`: ids are counted up, so that one which the state does not name is a newer one. */
  maySpeak(id: number, peer: PeerId): boolean {
    return this.#agreed.get(id)?.equals(peer) ?? id > this.#newest
  }

  learn(id: number, peer: PeerId): void {
    if (this.#agreed.has(id) || this.#learned.has(id)) return
    for (const [older, of] of this.#learned) if (of.equals(peer)) this.#forget(older)
    if (this.#learned.size < MAX_MEMBERS) this.#learned.set(id, peer)
    this.#unknown.delete(id)
  }

  /** Never throws: what cannot be sent is logged and lost. */
  send(lane: LaneName, frame: RaftFrame, isLazy = false): void {
    if (this.#isStopped) return
    try {
      const link = this.#linkOf(frame.to)
      if (link === undefined) this.#unreachable(frame.to)
      else link.send(lane, frame, isLazy)
    } catch (error) {
      this.#init.log.error('a message to member %d is lost - %s %s', frame.to, codeOf(error), messageOf(error))
      later(() => this.#init.unreachable(frame.to))
    }
  }

  settle(id: number, index: number, ok: boolean): void {
    this.#links.get(id)?.link.settle(index, ok)
  }

  connected(peer: PeerId): void {
    for (const { peer: to, link } of this.#links.values()) if (to.equals(peer)) link.connected()
  }

  stop(): void {
    this.#isStopped = true
    for (const { link } of this.#links.values()) link.stop()
    this.#links.clear()
  }

  #forget(id: number): void {
    this.#learned.delete(id)
    const linked = this.#links.get(id)
    if (linked !== undefined) this.#unlink(id, linked.link)
  }

  #unlink(id: number, link: MemberLink): void {
    link.stop()
    this.#links.delete(id)
  }

  #peerOf(id: number): PeerId | undefined {
    return this.#agreed.get(id) ?? this.#learned.get(id)
  }

  #linkOf(id: number): MemberLink | undefined {
    const existing = this.#links.get(id)
    if (existing !== undefined) return existing.link
    const peer = this.#peerOf(id)
    if (peer === undefined) return undefined
    const link = new MemberLink({
      openStream: (signal) => this.#init.openStream(peer, signal),
      unreachable: (code) => {
        this.#init.log('member %d at %p cannot be reached - %s', id, peer, code)
        later(() => this.#init.unreachable(id))
      },
      snapshotSent: (_index, ok) => later(() => this.#init.snapshotSent(id, ok)),
    })
    this.#links.set(id, { peer, link })
    return link
  }

  #unreachable(id: number): void {
    if (this.#unknown.has(id)) return
    if (this.#unknown.size >= MAX_MEMBERS) this.#unknown.clear()
    this.#unknown.add(id)
    later(() => this.#init.unreachable(id))
  }
}

/** The engine must not be called while it hands out its messages. */
function later(run: () => void): void {
  queueMicrotask(run)
}
