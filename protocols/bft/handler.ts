import type { Connection, Libp2p, Logger, PeerId, Stream } from '@libp2p/interface'
import { CodedError, codeOf, messageOf } from '../shared/errors.ts'
import { readFrames } from '../shared/frames.ts'
import { InboundLanes } from '../shared/inbound-lanes.ts'
import { refuse } from '../shared/refuse.ts'
import { reject, type Verdict } from '../shared/verdict.ts'
import { frameCodec, refusalCodec, type BftFrame } from './codec.ts'
import { BFT_PROTOCOL, MAX_BFT_STREAMS, MAX_FRAME_BYTES, RECEIVE_RATE, REPLACE_TIMEOUT_MS } from './constants.ts'
import { PeerRate, type Rate } from './peer-rate.ts'

const FRAME_FAULT = /^E_FRAME_/

export interface BftHandlerInit {
  libp2p: Pick<Libp2p, 'handle' | 'unhandle'>
  isPeer(peer: PeerId): boolean
  /** A promise holds back the stream that the frame came on. */
  onFrame(from: PeerId, frame: BftFrame): Promise<void>
  /** A frame was dropped or a stream refused or ended for a fault. */
  refused(peer: PeerId, code: string): void
  judge(peer: PeerId, verdict: Verdict): void
  log: Logger
  rate?: Rate
}

/** Reads the streams of others: one of each peer, at a bounded rate, of full nodes only. */
export class BftHandler {
  readonly #init: BftHandlerInit
  readonly #lanes = new InboundLanes('E_BFT_REPLACED', REPLACE_TIMEOUT_MS)
  readonly #rate: PeerRate
  #stopped = new AbortController()

  constructor(init: BftHandlerInit) {
    this.#init = init
    this.#rate = new PeerRate(init.rate ?? RECEIVE_RATE)
  }

  async start(): Promise<void> {
    this.#stopped = new AbortController()
    await this.#init.libp2p.handle(BFT_PROTOCOL, (stream, connection) => this.#onStream(stream, connection), {
      maxInboundStreams: MAX_BFT_STREAMS,
      maxOutboundStreams: MAX_BFT_STREAMS,
      runOnLimitedConnection: true,
    })
  }

  async stop(): Promise<void> {
    await this.#init.libp2p.unhandle(BFT_PROTOCOL)
    this.#stopped.abort(new CodedError('E_STOPPING', 'the node is stopping'))
  }

  async #onStream(stream: Stream, { remotePeer }: Connection): Promise<void> {
    try {
      if (!this.#init.isPeer(remotePeer)) {
        await this.#refuse(stream, remotePeer, 'E_BFT_STRANGER', 'only full nodes of the mesh take part')
        return
      }
      await this.#serve(stream, remotePeer)
    } catch (error) {
      const code = codeOf(error)
      const isFault = FRAME_FAULT.test(code)
      if (isFault || code === 'E_BFT_STRANGER') this.#init.refused(remotePeer, code)
      if (isFault) this.#init.judge(remotePeer, reject(code))
      this.#init.log('a stream of %p ended - %s %s', remotePeer, code, messageOf(error))
      stream.abort(error instanceof Error ? error : new Error(String(error)))
    }
  }

  async #serve(stream: Stream, peer: PeerId): Promise<void> {
    const frames = readFrames(stream, { maxFrameBytes: MAX_FRAME_BYTES, signal: this.#stopped.signal })
    try {
      const admitted = await this.#lanes.run(peer.toString(), stream, async () => {
        for await (const bytes of frames) await this.#onBytes(peer, bytes)
      })
      if (!admitted) await this.#refuse(stream, peer, 'E_BFT_BUSY', 'an older stream of yours is still being served')
    } finally {
      await frames.return(undefined)
    }
  }

  async #onBytes(peer: PeerId, bytes: Uint8Array): Promise<void> {
    // Asked again: it may have been put out since.
    if (!this.#init.isPeer(peer)) throw new CodedError('E_BFT_STRANGER', 'no full node of the mesh any more')
    const verdict = this.#rate.spend(peer.toString(), bytes.byteLength, performance.now())
    if (verdict.kind === 'accept') return this.#init.onFrame(peer, frameCodec.decode(bytes))
    this.#init.refused(peer, verdict.code)
    this.#init.judge(peer, verdict)
  }

  async #refuse(stream: Stream, peer: PeerId, code: string, message: string): Promise<void> {
    this.#init.refused(peer, code)
    await refuse(stream, refusalCodec.encode({ type: 'refused', code, message }))
  }
}
