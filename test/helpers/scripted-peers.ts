import { generateKeyPair } from '@libp2p/crypto/keys'
import type { PeerId } from '@libp2p/interface'
import { defaultLogger } from '@libp2p/logger'
import { peerIdFromPrivateKey } from '@libp2p/peer-id'
import { createFollow, type Follow } from '../../node/mesh/follow.ts'
import type { FollowInit, FollowOptions, FollowProgress } from '../../node/mesh/follow-types.ts'
import { CodedError } from '../../protocols/shared/errors.ts'
import type { Verdict } from '../../protocols/shared/verdict.ts'
import type { SyncClient, SyncEpoch, SyncFollowed, SyncHead } from '../../protocols/sync/index.ts'

/** The only valid epoch of a height in these tests. */
export function epochAt(height: number, size = 8): SyncEpoch {
  const block = new Uint8Array(size)
  new DataView(block.buffer).setUint32(0, height)
  return { height, block, certificate: Uint8Array.of(1) }
}

/** One peer and how it behaves. */
export interface ScriptedPeer {
  readonly peer: PeerId
  /** what it has, and says that it has */
  height: number
  /** what it says instead */
  claimed?: number
  lowest: number
  /** of epochs that it forges */
  lies: (height: number) => boolean
  /** from this height on it gives nothing more, and says nothing */
  stallsAt: number
  /** from this height on its ranges just end */
  endsAt: number
  /** its heads are never answered */
  isMute: boolean
  /** others are far ahead of it */
  isSlow: boolean
  /** it lets nobody follow it */
  isBusy: boolean
  /** heights at which it was asked for ranges, and from which it was followed */
  readonly ranges: number[]
  readonly followed: number[]
  /** how often it was asked for its head, and epochs that it gave */
  heads: number
  given: number
  /** bytes of each epoch */
  size: number
}

/** Peers that answer as they are told to, without sockets. */
export class ScriptedPeers implements SyncClient {
  readonly peers = new Map<string, ScriptedPeer>()
  #grown = Promise.withResolvers<void>()

  async add(height: number, behaviour: Partial<ScriptedPeer> = {}): Promise<ScriptedPeer> {
    const peer = peerIdFromPrivateKey(await generateKeyPair('Ed25519'))
    const honest = {
      lowest: 1,
      lies: () => false,
      stallsAt: Infinity,
      endsAt: Infinity,
      isMute: false,
      isBusy: false,
      isSlow: false,
      size: 8,
    }
    const scripted = { peer, height, ...honest, ranges: [], followed: [], heads: 0, given: 0, ...behaviour }
    this.peers.set(peer.toString(), scripted)
    return scripted
  }

  /** All of them, or some, have got to a height. */
  grow(height: number, peers: Iterable<ScriptedPeer> = this.peers.values()): void {
    for (const peer of peers) peer.height = height
    this.#grown.resolve()
    this.#grown = Promise.withResolvers()
  }

  async head(peer: PeerId, signal: AbortSignal): Promise<SyncHead> {
    const of = this.#of(peer)
    of.heads++
    if (of.isMute) await forever(signal)
    return headOf(of)
  }

  async *range(peer: PeerId, from: number, count: number, signal: AbortSignal): AsyncGenerator<SyncEpoch> {
    const of = this.#of(peer)
    of.ranges.push(from)
    if (from < of.lowest) throw new CodedError('E_SYNC_PRUNED', 'not kept')
    for (let height = from; height < from + count && height <= of.height && height < of.endsAt; height++) {
      yield await this.#epoch(of, height, signal)
    }
  }

  async *follow(peer: PeerId, from: number, signal: AbortSignal): AsyncGenerator<SyncFollowed> {
    const of = this.#of(peer)
    of.followed.push(from)
    if (of.isBusy) throw new CodedError('E_SYNC_BUSY', 'too many')
    yield { head: headOf(of) }
    for (let height = from; ; height++) {
      while (height > of.height) await this.#growth(signal)
      yield { epoch: await this.#epoch(of, height, signal) }
    }
  }

  state(): Promise<Uint8Array> {
    return Promise.reject(new CodedError('E_SYNC_UNKNOWN', 'none'))
  }

  async #epoch(of: ScriptedPeer, height: number, signal: AbortSignal): Promise<SyncEpoch> {
    signal.throwIfAborted()
    if (height >= of.stallsAt) await forever(signal)
    if (of.isSlow) await new Promise((resolve) => setImmediate(resolve))
    of.given++
    const epoch = epochAt(height, of.size)
    return of.lies(height) ? { ...epoch, certificate: Uint8Array.of(0) } : epoch
  }

  async #growth(signal: AbortSignal): Promise<void> {
    await Promise.race([this.#grown.promise, forever(signal)])
  }

  #of(peer: PeerId): ScriptedPeer {
    const of = this.peers.get(peer.toString())
    if (of === undefined) throw new CodedError('E_PEER_UNREACHABLE', 'gone')
    return of
  }
}

/** A node that follows scripted peers: its chain, and what became of them. */
export class ScriptedNode {
  height: number
  isValidator = false
  /** how often it looked whether it is one */
  looks = 0
  readonly follow: Follow
  readonly taken: number[] = []
  readonly verdicts: [string, Verdict][] = []
  readonly progress: FollowProgress[] = []
  readonly fatal: unknown[] = []
  failAt = Infinity
  writing = Promise.resolve()

  constructor(
    client: SyncClient,
    peers: () => readonly PeerId[],
    { height = 0, ...options }: Partial<FollowOptions> & { height?: number } = {},
  ) {
    this.height = height
    const init: FollowInit = {
      client,
      peers,
      chain: this,
      verify: async (epoch) => this.verify(epoch),
      take: (epoch) => this.take(epoch),
      isValidator: () => {
        this.looks++
        return this.isValidator
      },
      judge: (peer, verdict) => void this.verdicts.push([peer.toString(), verdict]),
      onProgress: (progress) => void this.progress.push(progress),
      onFatal: (cause) => void this.fatal.push(cause),
      log: defaultLogger().forComponent('follow'),
      options: { retryMs: 10, checkMs: 50, moreHeadsMs: 5, graceMs: 100, pauseMs: 20, maxPauseMs: 100, ...options },
    }
    this.follow = createFollow(init)
  }

  verify(epoch: SyncEpoch): string | undefined {
    if (epoch.height !== this.height + 1) return 'E_EPOCH_OUT_OF_PLACE'
    return epoch.certificate[0] === 1 ? undefined : 'E_EPOCH_FORGED'
  }

  async take(epoch: SyncEpoch): Promise<void> {
    if (epoch.height >= this.failAt) throw new Error('the disk failed')
    await Promise.resolve()
    this.height = epoch.height
    this.taken.push(epoch.height)
  }

  settled(): Promise<void> {
    return this.writing
  }

  codesOf({ peer }: { peer: PeerId }): string[] {
    return this.verdicts
      .filter(([id]) => id === peer.toString())
      .map(([, verdict]) => (verdict.kind === 'accept' ? 'accept' : `${verdict.kind} ${verdict.code}`))
  }
}

function headOf({ height, claimed, lowest }: ScriptedPeer): SyncHead {
  return { height: claimed ?? height, value: Uint8Array.of(1), lowest }
}

function forever(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    const onAbort = (): void => reject(new CodedError('E_ABORTED', 'cancelled'))
    if (signal.aborted) onAbort()
    signal.addEventListener('abort', onAbort, { once: true })
  })
}
