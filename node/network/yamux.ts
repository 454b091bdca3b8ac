import type { MessageStream, Stream, StreamMuxer, StreamMuxerFactory } from '@libp2p/interface'
import { yamux, type YamuxMuxerInit } from '@libp2p/yamux'

/** A fresh epoch of this many round trips or less doubles the window, as in @libp2p/yamux and in Go's. */
const FAST_ROUND_TRIPS = 4

/**
 * Yamux that gives window back when half of it is used, as Go's does.
 *
 * @libp2p/yamux 8 answers every frame with a window update: each small message then costs another packet, encrypted and
 * decrypted, in the other direction.
 */
export function sparingYamux(init: YamuxMuxerInit): () => StreamMuxerFactory {
  const create = yamux(init)
  return () => {
    const factory = create()
    const createStreamMuxer = factory.createStreamMuxer.bind(factory)
    return Object.assign(factory, {
      createStreamMuxer: (connection: MessageStream) => sparing(createStreamMuxer(connection)),
    })
  }
}

interface Muxer {
  _newStream?: (...args: unknown[]) => Stream
}

function sparing(muxer: StreamMuxer): StreamMuxer {
  const inner = muxer as Muxer
  const create = inner._newStream
  if (create !== undefined) {
    inner._newStream = (...args) => {
      const stream = create.apply(muxer, args)
      if (isYamux(stream)) stream.sendWindowUpdate = updateWindow
      return stream
    }
  }
  return muxer
}

/** What a stream of @libp2p/yamux is made of, as far as its flow control goes. */
interface YamuxStream {
  state: number
  streamId: number
  recvWindow: number
  recvWindowCapacity: number
  maxStreamWindowSize: number
  epochStart: number
  getRTT(): number
  getSendFlags(): number
  sendFrame(header: { type: number; flag: number; streamID: number; length: number }): unknown
  sendWindowUpdate(): void
}

const WINDOW_UPDATE = 1
const PAUSED = 5

function isYamux(stream: unknown): stream is YamuxStream {
  const { recvWindow, sendWindowUpdate, getSendFlags, sendFrame } = stream as Partial<YamuxStream>
  const isFunction = [sendWindowUpdate, getSendFlags, sendFrame].every((member) => typeof member === 'function')
  return isFunction && typeof recvWindow === 'number'
}

function updateWindow(this: YamuxStream): void {
  const now = Date.now()
  if (this.state === PAUSED) {
    this.epochStart = now
    return
  }
  // Taken at once: they answer the opening of a stream and are given only once.
  const flag = this.getSendFlags()
  if (flag === 0 && this.recvWindow - this.recvWindowCapacity < this.recvWindow / 2) return
  const rtt = this.getRTT()
  if (flag === 0 && rtt > -1 && now - this.epochStart <= rtt * FAST_ROUND_TRIPS)
    this.recvWindow = Math.min(this.recvWindow * 2, this.maxStreamWindowSize)
  const length = this.recvWindow - this.recvWindowCapacity
  this.recvWindowCapacity = this.recvWindow
  this.epochStart = now
  this.sendFrame({ type: WINDOW_UPDATE, flag, streamID: this.streamId, length })
}
