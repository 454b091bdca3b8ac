import type { Connection, Libp2p, Logger, PeerId, Stream } from '@libp2p/interface'
import { closing } from '../shared/closing.ts'
import { CodedError, codeOf, messageOf } from '../shared/errors.ts'
import { readFrames } from '../shared/frames.ts'
import { InboundLanes } from '../shared/inbound-lanes.ts'
import { unasked } from '../shared/read-request.ts'
import { refuse } from '../shared/refuse.ts'
import { reject, type Verdict } from '../shared/verdict.ts'
import { WorkCount } from '../shared/work-count.ts'
import { answerBlocks, answerJoin, parseCid, type RequestPorts } from './answers.ts'
import { answerCodec, messageCodec, openingCodec, type LaneName, type Opening, type RaftFrame } from './codec.ts'
import {
  MAX_FRAME_BYTES,
  MAX_RAFT_STREAMS,
  MAX_REQUESTS,
  MAX_REQUESTS_PER_PEER,
  OPEN_TIMEOUT_MS,
  RAFT_PROTOCOL,
  REQUEST_TIMEOUT_MS,
} from './constants.ts'

const FRAME_FAULT = /^E_FRAME_/

export interface RaftHandlerInit extends RequestPorts {
  libp2p: Libp2p
  /** Of this cell by its certificate, with the raft id that is known of it, 0 for none yet; undefined for a stranger. */
  memberOf(peer: PeerId): { readonly raftId: number } | undefined
  /** A promise holds back the stream that the frame came on. */
  onFrame(from: PeerId, frame: RaftFrame): void | Promise<void>
  /** A stream was refused: E_RAFT_STRANGER, E_RAFT_BUSY. */
  refused(peer: PeerId, code: string): void
  judge(peer: PeerId, verdict: Verdict): void
  log: Logger
}

export interface RaftHandler {
  start(): Promise<void>
  /** Ends all streams; idempotent. */
  stop(): Promise<void>
}

export function createRaftHandler(init: RaftHandlerInit): RaftHandler {
  return new Handler(init)
}

class Handler implements RaftHandler {
  readonly #init: RaftHandlerInit
  readonly #lanes = new InboundLanes('E_RAFT_REPLACED', OPEN_TIMEOUT_MS)
  readonly #requests = new WorkCount(MAX_REQUESTS_PER_PEER, MAX_REQUESTS)
  #stopped = new AbortController()

  constructor(init: RaftHandlerInit) {
    this.#init = init
  }

  async start(): Promise<void> {
    this.#stopped = new AbortController()
    await this.#init.libp2p.handle(RAFT_PROTOCOL, (stream, connection) => this.#onStream(stream, connection), {
      maxInboundStreams: MAX_RAFT_STREAMS,
      maxOutboundStreams: MAX_RAFT_STREAMS,
      runOnLimitedConnection: true,
    })
  }

  async stop(): Promise<void> {
    await this.#init.libp2p.unhandle(RAFT_PROTOCOL)
    this.#stopped.abort(new CodedError('E_STOPPING', 'the node is stopping'))
  }

  async #onStream(stream: Stream, { remotePeer }: Connection): Promise<void> {
    try {
      if (this.#init.memberOf(remotePeer) === undefined) {
        await this.#refuse(stream, remotePeer, 'E_RAFT_STRANGER', 'this node is of another cell')
        return
      }
      await this.#serve(stream, remotePeer)
    } catch (error) {
      const code = codeOf(error)
      if (FRAME_FAULT.test(code) || code === 'E_RAFT_PROTOCOL') this.#init.judge(remotePeer, reject(code))
      this.#end(stream, remotePeer, error)
    }
  }

  #end(stream: Stream, peer: PeerId, error: unknown): void {
    this.#init.log('a stream of %p ended - %s %s', peer, codeOf(error), messageOf(error))
    stream.abort(error instanceof Error ? error : new Error(String(error)))
  }

  async #serve(stream: Stream, peer: PeerId): Promise<void> {
    const frames = readFrames(stream, { maxFrameBytes: MAX_FRAME_BYTES, signal: this.#stopped.signal })
    try {
      const opening = await readOpening(stream, frames)
      if (opening.type === 'messages') await this.#serveMessages(stream, peer, opening.lane, frames)
      else await this.#serveRequest(stream, peer, opening)
    } finally {
      await frames.return(undefined)
    }
  }

  async #serveMessages(
    stream: Stream,
    peer: PeerId,
    lane: LaneName,
    frames: AsyncGenerator<Uint8Array>,
  ): Promise<void> {
    const admitted = await this.#lanes.run(`${peer.toString()} ${lane}`, stream, async () => {
      for await (const bytes of frames) {
        // Asked again: membership may have ended since.
        if (this.#init.memberOf(peer) === undefined) throw new CodedError('E_RAFT_STRANGER', 'no member any more')
        const waiting = this.#init.onFrame(peer, messageCodec.decode(bytes))
        if (waiting !== undefined) await waiting
      }
    })
    if (!admitted) await this.#refuse(stream, peer, 'E_RAFT_BUSY', 'an older stream of yours is still being served')
  }

  async #serveRequest(stream: Stream, peer: PeerId, request: Exclude<Opening, { type: 'messages' }>): Promise<void> {
    const signal = AbortSignal.any([closing(stream), this.#stopped.signal, AbortSignal.timeout(REQUEST_TIMEOUT_MS)])
    const answer =
      request.type === 'join'
        ? (): Promise<void> => answerJoin(stream, peer, request.incarnation, this.#init, signal)
        : answerBlocks.bind(undefined, stream, request.cids.map(parseCid), this.#init, signal)
    const admitted = await this.#requests.run(peer.toString(), async () => {
      try {
        await answer()
        await stream.close({ signal })
      } catch (error) {
        // Ours, or that the asker left: nothing to hold against it.
        this.#end(stream, peer, error)
      }
    })
    if (admitted === undefined) await this.#refuse(stream, peer, 'E_RAFT_BUSY', 'too many requests at once')
  }

  async #refuse(stream: Stream, peer: PeerId, code: string, message: string): Promise<void> {
    this.#init.refused(peer, code)
    await refuse(stream, answerCodec.encode({ type: 'refused', code, message }))
  }
}

async function readOpening(stream: Stream, frames: AsyncGenerator<Uint8Array>): Promise<Opening> {
  const timer = setTimeout(() => stream.abort(new CodedError('E_TIMEOUT', 'no opening frame')), OPEN_TIMEOUT_MS)
  try {
    const first = await frames.next()
    if (first.done === true) throw unasked(stream, 'E_RAFT_PROTOCOL')
    const opening = openingCodec.decode(first.value)
    // An asker says nothing more and closes its end.
    if (opening.type !== 'messages' && (await frames.next()).done !== true) {
      throw new CodedError('E_RAFT_PROTOCOL', 'a second request on one stream')
    }
    return opening
  } finally {
    clearTimeout(timer)
  }
}
