import type { PeerId, Stream } from '@libp2p/interface'
import { frameCodec, type BftFrame } from '../../protocols/bft/codec.ts'
import {
  BFT_PROTOCOL,
  createBftTransport,
  type BftPeer,
  type BftPorts,
  type BftTransport,
  type BftTransportInit,
} from '../../protocols/bft/index.ts'
import { writeFrame } from '../../protocols/shared/frames.ts'
import { ACCEPT, type Verdict } from '../../protocols/shared/verdict.ts'
import { connect, startLibp2p, until, type TestLibp2p } from './libp2p-pair.ts'

export interface BftNode {
  libp2p: TestLibp2p
  transport: BftTransport
  /** what came, one line each: number of the sender, kind, and what it was */
  received: string[]
  /** verdicts, refusals and losses, one line each */
  events: string[]
  /** to be changed at will */
  init: BftTransportInit
  ports: BftPorts
}

/** A block of a size whose value is its first byte, 36 times; others do not match. */
export function blockOf(mark: number, size = 100): { value: Uint8Array; bytes: Uint8Array } {
  const bytes = new Uint8Array(size).fill(mark)
  return { value: new Uint8Array(36).fill(mark), bytes }
}

export function message(mark: number, size = 10, height = 5): BftFrame {
  return { type: 'message', height, bytes: new Uint8Array(size).fill(mark) }
}

/** Frames on a stream of their own, past the transport of whoever sends. */
export async function sendRaw(from: TestLibp2p, to: BftNode, frames: Iterable<BftFrame | Uint8Array>): Promise<Stream> {
  const stream = await from.dialProtocol(to.libp2p.peerId, BFT_PROTOCOL)
  for (const frame of frames) {
    await writeFrame(stream, frame instanceof Uint8Array ? frame : frameCodec.encode(frame)).catch(() => {})
  }
  return stream
}

/** The transports of some full nodes, connected with each other, without engines. */
export class BftPeers {
  nodes: BftNode[] = []
  peers: readonly BftPeer[] = []
  height = 4

  /** @param members - how many, the last ones, are no validators */
  async start(size: number, members = 0, rate?: BftTransportInit['rate']): Promise<void> {
    this.nodes = await Promise.all(Array.from({ length: size }, () => this.#node(rate)))
    this.peers = this.nodes.map(({ libp2p }, i) => ({ peer: libp2p.peerId, isValidator: i < size - members }))
    for (const [i, node] of this.nodes.entries()) {
      await node.transport.start()
      for (const other of this.nodes.slice(0, i)) await connect(node.libp2p, other.libp2p)
    }
    // The end that listens knows of a connection a little later than the one that dialled.
    await until(() => this.nodes.every(({ libp2p }) => libp2p.getConnections().length === size - 1))
  }

  at(index: number): BftNode {
    return this.nodes[index]!
  }

  id(index: number): PeerId {
    return this.at(index).libp2p.peerId
  }

  async stop(): Promise<void> {
    await Promise.all(this.nodes.map(({ transport }) => transport.stop()))
    await Promise.all(this.nodes.map(({ libp2p }) => libp2p.stop()))
  }

  async #node(rate: BftTransportInit['rate']): Promise<BftNode> {
    const libp2p = await startLibp2p()
    const received: string[] = []
    const events: string[] = []
    const took = (peer: PeerId, what: string): Verdict => {
      const from = this.nodes.findIndex((node) => node.libp2p.peerId.equals(peer))
      received.push(`${from} ${what}`)
      return ACCEPT
    }
    const ports: BftPorts = {
      message: (peer, height, bytes) => took(peer, `message ${height} ${bytes.byteLength} ${bytes[0]}`),
      block: (peer, { height, round, bytes }) => took(peer, `block ${height} ${round} ${bytes.byteLength} ${bytes[0]}`),
      matches: ({ value, bytes }) => value[0] === bytes[0],
      readBlock: async () => undefined,
      report: (peer, epoch, envelope) => took(peer, `report ${epoch} ${envelope[0]}`),
      readReports: () => [],
      attestation: (peer, bytes) => took(peer, `attestation ${bytes[0]}`),
      attestationShare: (peer, bytes) => took(peer, `share ${bytes[0]}`),
      governance: (peer, bytes) => took(peer, `governance ${bytes[0]}`),
    }
    const init: BftTransportInit = {
      libp2p,
      peers: () => this.peers,
      isPeer: (peer) => this.peers.some((known) => known.peer.equals(peer)),
      height: () => this.height,
      ports,
      judge: (_peer, verdict) =>
        void events.push(verdict.kind === 'accept' ? 'accept' : `${verdict.kind} ${verdict.code}`),
      refused: (_peer, code) => void events.push(`refused ${code}`),
      lost: (_peer, code) => void events.push(`lost ${code}`),
      log: libp2p.logger.forComponent('bft'),
      ...(rate === undefined ? {} : { rate }),
    }
    return { libp2p, transport: createBftTransport(init), received, events, init, ports }
  }
}
