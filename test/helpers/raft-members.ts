import type { PeerId } from '@libp2p/interface'
import {
  createRaftTransport,
  RAFT_PROTOCOL,
  type RaftTransport,
  type RaftTransportInit,
  type ReceivedMessage,
} from '../../protocols/raft/index.ts'
import { openStream } from '../../protocols/shared/open-stream.ts'
import { connect, startLibp2p, until, type TestLibp2p } from './libp2p-pair.ts'

export interface RaftMember {
  libp2p: TestLibp2p
  transport: RaftTransport
  received: ReceivedMessage[]
  events: string[]
  /** to be changed at will */
  init: RaftTransportInit
}

/** An urgent message of these members begins with 1. */
export const URGENT = 1

/** The transports of the members of one cell, connected with each other, without engines. */
export class RaftMembers {
  nodes: RaftMember[] = []

  async start(size: number): Promise<void> {
    this.nodes = await Promise.all(Array.from({ length: size }, (_, i) => this.#node(i + 1)))
    const members = new Map<number, PeerId>(this.nodes.map(({ libp2p }, i) => [i + 1, libp2p.peerId]))
    for (const [i, node] of this.nodes.entries()) {
      await node.transport.start()
      node.transport.members(members)
      for (const other of this.nodes.slice(0, i)) await connect(node.libp2p, other.libp2p)
    }
    // The end that listens knows of a connection a little later than the one that dialled.
    await until(() => this.nodes.every(({ libp2p }) => libp2p.getConnections().length === size - 1))
  }

  at(id: number): RaftMember {
    return this.nodes[id - 1]!
  }

  async stop(): Promise<void> {
    await Promise.all(this.nodes.map(({ transport }) => transport.stop()))
    await Promise.all(this.nodes.map(({ libp2p }) => libp2p.stop()))
  }

  async #node(self: number): Promise<RaftMember> {
    const libp2p = await startLibp2p()
    const received: ReceivedMessage[] = []
    const events: string[] = []
    const init: RaftTransportInit = {
      libp2p,
      openStream: (peer, signal) => openStream(libp2p, peer, RAFT_PROTOCOL, { signal }),
      self: () => self,
      memberOf: (peer) => {
        const index = this.nodes.findIndex((node) => node.libp2p.peerId.equals(peer))
        return index < 0 ? undefined : { raftId: index + 1 }
      },
      isUrgent: (bytes) => bytes[0] === URGENT,
      deliver: (message) => void received.push(message),
      beforeSnapshot: async () => {},
      unreachable: (id) => void events.push(`unreachable ${id}`),
      snapshotSent: (id, ok) => void events.push(`snapshot ${id} ${ok}`),
      join: async () => ({ type: 'refused', code: 'E_RAFT_BUSY', message: 'not in this test' }),
      block: async () => undefined,
      refused: (_peer, code) => void events.push(`refused ${code}`),
      judge: (_peer, verdict) =>
        void events.push(verdict.kind === 'accept' ? 'accept' : `${verdict.kind} ${verdict.code}`),
      log: libp2p.logger.forComponent('raft'),
    }
    return { libp2p, transport: createRaftTransport(init), received, events, init }
  }
}

/** A message with a number to know it by; not urgent. */
export function numbered(i: number, size = 200): Uint8Array {
  const bytes = new Uint8Array(size)
  new DataView(bytes.buffer).setUint32(4, i)
  return bytes
}

export function numberOf({ bytes }: Pick<ReceivedMessage, 'bytes'>): number {
  return new DataView(bytes.buffer, bytes.byteOffset).getUint32(4)
}
