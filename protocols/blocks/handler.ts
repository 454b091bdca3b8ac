import type { Connection, Libp2p, Logger, PeerId, Stream } from '@libp2p/interface'
import type { CID } from 'multiformats/cid'
import { closing } from '../shared/closing.ts'
import { CodedError, codeOf, messageOf } from '../shared/errors.ts'
import { readFrames } from '../shared/frames.ts'
import { Pace } from '../shared/pace.ts'
import { reject, type Verdict } from '../shared/verdict.ts'
import { WorkCount } from '../shared/work-count.ts'
import { ByteBudget } from './byte-budget.ts'
import { requestCodec, type Request } from './codec.ts'
import * as limits from './constants.ts'
import { refuse } from './frame-stream.ts'
import { Leases } from './leases.ts'
import { servePush, type Lease, type PushSink } from './serve-push.ts'
import { serveWants, type BlockSource, type Served } from './serve-wants.ts'

/** What costs the peer; all else that ends a stream is ours, or nobody's fault. */
const FAULT = /^E_(FRAME_.*|BLOCKS_(PROTOCOL|LIMIT|WRONG))$/

export interface BlocksHandlerInit {
  libp2p: Pick<Libp2p, 'handle' | 'unhandle'>
  source: BlockSource
  sink: PushSink
  /** Whether the peer may store blocks here: a full or light member of this node's cell. */
  mayPush(peer: PeerId): boolean
  /** A new lease for the blocks of one push. */
  lease(): Lease
  /** Of answers to the wants of each peer; BYTES_PER_SECOND_PER_PEER when absent. */
  bytesPerSecondPerPeer?: number
  /** Blocks were sent to a peer that wanted them; for counting. */
  served?(blocks: number, bytes: number): void
  /** A stream was refused or ended for a fault: E_BLOCKS_*, or what storing failed with. */
  refused(peer: PeerId, code: string): void
  judge(peer: PeerId, verdict: Verdict): void
  log: Logger
}

export interface BlocksHandler {
  start(): Promise<void>
  /** Ends all streams and leases; idempotent. */
  stop(): Promise<void>
  /** A pin of what was pushed last in some push is whole, or gone: its blocks need no lease any more. */
  settled(root: CID): void
  /** Bytes loaded for peers that have not yet taken them. */
  loadedBytes(): number
}

export function createBlocksHandler(init: BlocksHandlerInit): BlocksHandler {
  return new Handler(init)
}

class Handler implements BlocksHandler {
  readonly #init: BlocksHandlerInit
  readonly #budget = new ByteBudget(limits.MAX_LOADED_BYTES, limits.MAX_LOADED_BYTES_PER_PEER)
  readonly #pace: Pace
  readonly #wants = new WorkCount(limits.MAX_WANT_STREAMS_PER_PEER, limits.MAX_WANT_STREAMS)
  readonly #pushes = new WorkCount(limits.MAX_PUSH_STREAMS_PER_PEER, limits.MAX_PUSH_STREAMS)
  readonly #leases: Leases
  #stopped = new AbortController()

  constructor(init: BlocksHandlerInit) {
    this.#init = init
    this.#pace = new Pace(init.bytesPerSecondPerPeer ?? limits.BYTES_PER_SECOND_PER_PEER)
    this.#leases = new Leases(() => init.lease())
  }

  async start(): Promise<void> {
    this.#stopped = new AbortController()
    await this.#init.libp2p.handle(limits.BLOCKS_PROTOCOL, (stream, connection) => this.#onStream(stream, connection), {
      maxInboundStreams: limits.MAX_STREAMS,
      maxOutboundStreams: limits.MAX_STREAMS,
      runOnLimitedConnection: true,
    })
  }

  async stop(): Promise<void> {
    this.#stopped.abort(new CodedError('E_STOPPING', 'the node is stopping'))
    await this.#init.libp2p.unhandle(limits.BLOCKS_PROTOCOL)
    this.#leases.stop()
  }

  settled(root: CID): void {
    this.#leases.settled(root)
  }

  loadedBytes(): number {
    return this.#budget.usedBytes
  }

  async #onStream(stream: Stream, { remotePeer }: Connection): Promise<void> {
    const signal = AbortSignal.any([closing(stream), this.#stopped.signal])
    const frames = readFrames(stream, { maxFrameBytes: limits.MAX_FRAME_BYTES, signal: this.#stopped.signal })
    try {
      const first = await firstFrame(stream, frames)
      if (first !== undefined)
        await this.#serve(first, remotePeer, servedOn(stream, remotePeer, { first, frames, signal }))
      await stream.close({ signal: AbortSignal.timeout(limits.STALL_MS) })
    } catch (error) {
      await this.#fail(stream, remotePeer, error)
    } finally {
      // Does nothing where both ends are closed.
      stream.abort(new CodedError('E_STREAM_CLOSED', 'served'))
      await frames.return(undefined).catch(() => undefined)
    }
  }

  async #fail(stream: Stream, peer: PeerId, error: unknown): Promise<void> {
    const code = codeOf(error)
    this.#init.log('a stream of %p ended - %s %s', peer, code, messageOf(error))
    if (FAULT.test(code)) this.#init.judge(peer, reject(code))
    if (stream.status !== 'open' || this.#stopped.signal.aborted) return
    this.#init.refused(peer, code)
    await refuse(stream, error).catch(() => stream.abort(new Error(code)))
  }

  async #serve(first: Request, peer: PeerId, served: Served): Promise<void> {
    if (first.type === 'want') {
      const sent = (blocks: number, bytes: number): void => this.#init.served?.(blocks, bytes)
      const service = { source: this.#init.source, budget: this.#budget, pace: this.#pace, sent }
      const admitted = await this.#wants.run(served.peer, () => serveWants(served, service))
      if (admitted === undefined) throw busy()
      return
    }
    if (!this.#init.mayPush(peer))
      throw new CodedError('E_BLOCKS_STRANGER', 'only members of the cell store blocks here')
    const admitted = await this.#pushes.run(served.peer, () =>
      this.#leases.run(served.peer, (lease) => servePush(served, { sink: this.#init.sink, lease })),
    )
    if (admitted === undefined) throw busy()
  }
}

function busy(): CodedError {
  return new CodedError('E_BLOCKS_BUSY', 'too many streams of yours, or of all, are being served')
}

async function firstFrame(stream: Stream, frames: AsyncGenerator<Uint8Array>): Promise<Request | undefined> {
  const abort = (): void => stream.abort(new CodedError('E_TIMEOUT', 'nothing was asked'))
  const timer = setTimeout(abort, limits.OPEN_TIMEOUT_MS)
  try {
    const first = await frames.next()
    return first.done === true ? undefined : requestCodec.decode(first.value)
  } finally {
    clearTimeout(timer)
  }
}

/** Asked one by one, not iterated: leaving an iteration resets the stream, and a refusal could not be told. */
function servedOn(
  stream: Stream,
  peer: PeerId,
  { first, frames, signal }: { first: Request; frames: AsyncGenerator<Uint8Array>; signal: AbortSignal },
): Served {
  let waiting: Request | undefined = first
  const next = async (): Promise<Request | undefined> => {
    const request = waiting
    waiting = undefined
    if (request !== undefined) return request
    const frame = await frames.next()
    return frame.done === true ? undefined : requestCodec.decode(frame.value)
  }
  return { stream, peer: peer.toString(), next, signal }
}
