import type { Stream } from '@libp2p/interface'
import { readFrames, writeFrame } from '../../protocols/shared/frames.ts'
import { openStream } from '../../protocols/shared/open-stream.ts'
import { answerCodec, requestCodec, type SyncAnswer, type SyncRequest } from '../../protocols/sync/codec.ts'
import { MAX_ANSWER_BYTES } from '../../protocols/sync/constants.ts'
import {
  createSyncClient,
  createSyncHandler,
  SYNC_PROTOCOL,
  type SyncClient,
  type SyncEpoch,
  type SyncHandler,
  type SyncHandlerInit,
  type SyncTimeouts,
} from '../../protocols/sync/index.ts'
import { collect } from './collect.ts'
import type { FakeChain } from './fake-chain.ts'
import { connect, startLibp2p, type TestLibp2p } from './libp2p-pair.ts'

/** One node that asks, and some that serve a made-up chain each. */
export class SyncPeers {
  nodes: TestLibp2p[] = []
  handlers: SyncHandler[] = []
  /** refusals and verdicts of those that serve, one line each */
  readonly events: string[] = []
  isMember = true
  readonly signal = new AbortController().signal

  async start(chains: FakeChain[], limits: SyncHandlerInit['limits'] = {}): Promise<void> {
    this.nodes = await Promise.all(Array.from({ length: chains.length + 1 }, () => startLibp2p()))
    const [asker, ...servers] = this.nodes as [TestLibp2p, ...TestLibp2p[]]
    this.handlers = servers.map((libp2p, i) =>
      createSyncHandler({
        libp2p,
        chain: chains[i]!,
        isMember: () => this.isMember,
        refused: (_peer, code) => void this.events.push(`refused ${code}`),
        judge: (_peer, verdict) =>
          void this.events.push(verdict.kind === 'accept' ? 'accept' : `${verdict.kind} ${verdict.code}`),
        log: libp2p.logger.forComponent('sync'),
        limits,
      }),
    )
    for (const handler of this.handlers) await handler.start()
    for (const server of servers) await connect(asker, server)
  }

  get client(): SyncClient {
    return this.patient()
  }

  patient(timeouts: SyncTimeouts = {}): SyncClient {
    return createSyncClient((peer, signal) => openStream(this.nodes[0]!, peer, SYNC_PROTOCOL, { signal }), timeouts)
  }

  server(i = 0): TestLibp2p['peerId'] {
    return this.nodes[i + 1]!.peerId
  }

  /** In place of the first server: what it says on each stream. */
  async lie(say: (stream: Stream) => Promise<void>): Promise<void> {
    await this.handlers[0]!.stop()
    await this.nodes[1]!.handle(SYNC_PROTOCOL, say)
  }

  range(from: number, count: number, i = 0): Promise<SyncEpoch[]> {
    return collect(this.client.range(this.server(i), from, count, this.signal))
  }

  /** A stream on which nothing is asked yet. */
  raw(): Promise<Stream> {
    return this.nodes[0]!.dialProtocol(this.server(), SYNC_PROTOCOL)
  }

  /** @param isRead - else the asker takes nothing of the answer */
  async asked(request: SyncRequest, isRead = true): Promise<Stream> {
    const stream = await this.raw()
    if (!isRead) stream.pause()
    await writeFrame(stream, requestCodec.encode(request))
    await stream.close()
    return stream
  }

  async answersOf(stream: Stream): Promise<SyncAnswer[]> {
    const frames = await collect(readFrames(stream, { maxFrameBytes: MAX_ANSWER_BYTES }))
    return frames.map((frame) => answerCodec.decode(frame))
  }

  /** Streams that the first server has open. */
  get served(): Stream[] {
    return this.nodes[1]!.getConnections()
      .flatMap(({ streams }) => streams)
      .filter(({ protocol, status }) => protocol === SYNC_PROTOCOL && status === 'open')
  }

  async stop(): Promise<void> {
    await Promise.all(this.handlers.map((handler) => handler.stop()))
    await Promise.all(this.nodes.map((node) => node.stop()))
  }
}
