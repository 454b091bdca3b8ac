import type { PeerId } from '@libp2p/interface'
import type { MeshState } from '../../consensus/epoch/index.ts'
import type { BftPeer } from '../../protocols/bft/index.ts'
import { peerOf } from './named.ts'

/** Whom the record has validators talk to: the members of its operators. */
export class RecordPeers {
  #operators: MeshState['operators'] | undefined
  #validators: readonly MeshState['validators'][] = []
  #peers: readonly BftPeer[] = []

  /** @returns another array whenever it changed */
  of({ operators, validators, nextValidators }: MeshState): readonly BftPeer[] {
    const isSame =
      this.#operators === operators && this.#validators[0] === validators && this.#validators[1] === nextValidators
    if (isSame) return this.#peers
    this.#operators = operators
    this.#validators = [validators, nextValidators]
    const voting = new Map([...validators, ...nextValidators].map(({ key }) => [peerOf(key).toString(), peerOf(key)]))
    const members = operators.flatMap((operator) => operator.members.map(peerOf))
    const others = members.filter((peer) => !voting.has(peer.toString()))
    const as = (isValidator: boolean) => (peer: PeerId) => ({ peer, isValidator })
    this.#peers = [...[...voting.values()].map(as(true)), ...others.map(as(false))]
    return this.#peers
  }
}
