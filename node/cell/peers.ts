import type { PeerId } from '@libp2p/interface'
import { peerIdFromString } from '@libp2p/peer-id'
import { revocationOf } from '../../consensus/state/index.ts'
import type { CellServiceInit } from './init.ts'
import type { CellMachine } from './machine.ts'
import { addressees, leastId, standing } from './record.ts'

export interface CellPeersInit extends Pick<CellServiceInit, 'membership'> {
  machine: () => CellMachine
}

/** Who of the mesh is of this cell, and under which raft ids, as its state has it. */
export class CellPeers {
  readonly #init: CellPeersInit
  /** of members, until something about them changes */
  readonly #leastIds = new Map<string, number>()

  constructor(init: CellPeersInit) {
    this.#init = init
  }

  /** Told when something about the members has changed. */
  changed(): void {
    this.#leastIds.clear()
  }

  /** A full node of this cell that nobody has put out. */
  isOfCell(peer: PeerId): boolean {
    const { membership } = this.#init
    const member = membership.member(peer)
    return member?.cell === membership.self.cell && member.role === 'full'
  }

  isRevoked(peer: PeerId): boolean {
    return revocationOf(this.#init.machine().tree, peer.toString()) !== undefined
  }

  /** The least raft id under which a message of this peer is taken; asked for each message that comes. */
  leastIdOf(peer: PeerId): number | undefined {
    if (!this.isOfCell(peer)) return undefined
    const peerId = peer.toString()
    const known = this.#leastIds.get(peerId)
    if (known !== undefined) return known
    const { tree, configuration } = this.#init.machine()
    const id = leastId(tree, configuration, peerId)
    this.#leastIds.set(peerId, id)
    return id
  }

  others(): string[] {
    const peerIds = standing(this.#init.machine().tree).map(({ peerId }) => peerId)
    return peerIds.filter((peerId) => peerId !== this.#init.membership.self.peerId)
  }

  byId(): Map<number, PeerId> {
    const { tree, configuration } = this.#init.machine()
    return new Map(addressees(tree, configuration).map(({ id, peerId }) => [id, peerIdFromString(peerId)]))
  }
}
