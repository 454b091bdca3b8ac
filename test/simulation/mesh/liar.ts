import { openBlock } from '../../../consensus/epoch/index.ts'
import { encodeMessage, decodeMessage } from '../../../wasm/bft/messages.ts'
import type { Equivocation, Proposal, Vote } from '../../../wasm/bft/types.ts'
import type { Dice } from '../dice.ts'
import { falseEpochs } from './false-epochs.ts'
import { otherBlock, spoiltBlock } from './false-blocks.ts'
import { falseExtension } from './false-extensions.ts'
import type { Identity, Keys } from './keys.ts'
import type { Life } from './life.ts'
import type { MeshNode } from './node.ts'
import type { Lie, MeshProfile } from './options.ts'
import type { Packet, SyncedEpoch } from './packets.ts'

/** What stands between a validator that would keep the rules and the others: it lies with its key. */
export class Liar {
  readonly #keys: Keys
  readonly #identity: Identity
  readonly #profile: MeshProfile
  readonly #dice: Dice
  /** values heard of, to vote for */
  readonly #values: Uint8Array[] = []

  constructor(keys: Keys, identity: Identity, profile: MeshProfile, dice: Dice) {
    this.#keys = keys
    this.#identity = identity
    this.#profile = profile
    this.#dice = dice
  }

  /** Whether it lies so now. */
  does(lie: Lie): boolean {
    return this.#profile.lies.includes(lie) && this.#dice.chance(this.#profile.lieRate)
  }

  say(node: MeshNode, life: Life, packet: Packet): void {
    if (this.does('withhold')) return
    if (packet.type === 'message') return this.#message(node, life, packet.height, packet.bytes)
    const isSelecting = this.does('select')
    for (const to of node.others) if (!isSelecting || this.#dice.chance(0.5)) node.say(to, packet)
  }

  extension(honest: Uint8Array): Uint8Array {
    return this.does('extensions') ? falseExtension(honest, this.#dice) : honest
  }

  /** @returns what it tells this node of itself */
  report(_epoch: number, _to: MeshNode, own: Uint8Array, other: Uint8Array): Uint8Array | undefined {
    if (this.does('reports-to-some')) return undefined
    return this.does('two-reports') ? other : own
  }

  sync(node: MeshNode, from: number, epochs: readonly SyncedEpoch[]): readonly SyncedEpoch[] {
    return this.does('sync') ? falseEpochs(this.#keys, node, from, epochs, this.#dice) : epochs
  }

  /** Whether it is the one who contradicts itself. */
  isOwn({ first }: Equivocation): boolean {
    return this.#keys.ofKey(first.validator) === this.#identity
  }

  #message(node: MeshNode, life: Life, height: number, bytes: Uint8Array): void {
    const message = decodeMessage(bytes)
    const isSelecting = this.does('select')
    const isOwn = 'validator' in message && this.#keys.ofKey(message.validator) === this.#identity
    if (message.type !== 'round' && message.value !== undefined) this.#values.push(message.value)
    const other = isOwn ? this.#other(node, life, message) : undefined
    // What all are told in its place is no contradiction, and what all would take were it not checked.
    const share = this.#dice.chance(0.5) ? 1 : 0.5
    for (const to of node.others) {
      if (isSelecting && this.#dice.chance(0.5)) continue
      if (other !== undefined && this.#dice.chance(share)) for (const packet of other) node.say(to, packet)
      else node.say(to, { type: 'message', height, bytes })
    }
    if (message.type === 'vote' && this.does('forged-heights')) this.#forgeHeight(node, message)
    if (message.type === 'vote' && this.does('forged-certificates')) this.#forgeCertificate(node, message)
  }

  /** What it says to some in place of what it says to others. */
  #other(node: MeshNode, life: Life, message: Vote | Proposal): Packet[] | undefined {
    if (message.type === 'proposal') return this.#otherProposal(node, life, message)
    if (!this.does('equivocate-votes')) return undefined
    const { kind, height, round } = message
    const value = this.#dice.chance(0.4) && message.value !== undefined ? undefined : this.#dice.pick(this.#values)
    const bytes = this.#keys.vote(
      this.#identity,
      { kind, height, round, value },
      kind === 'precommit' ? life.application.extension() : undefined,
    )
    return [{ type: 'message', height, bytes }]
  }

  #otherProposal(node: MeshNode, life: Life, { height, round, polRound, value }: Proposal): Packet[] | undefined {
    const honest = node.disk.block(height, value)
    const block = honest === undefined ? 'none' : openBlock(honest)
    if (typeof block === 'string' || polRound >= 0) return undefined
    const { state } = life.application
    const [dice, keys, by] = [this.#dice, this.#keys, this.#identity]
    const made = this.does('invalid-blocks')
      ? spoiltBlock(keys, state, block, dice)
      : this.does('equivocate-proposals')
        ? otherBlock(keys, by, state, block, dice)
        : undefined
    if (made === undefined) return undefined
    this.#values.push(made.value)
    const bytes = keys.proposal(by, { height, round, polRound, value: made.value })
    return [
      { type: 'message', height, bytes },
      { type: 'block', height, round, block: made },
    ]
  }

  #forgeHeight(node: MeshNode, { kind, round, value }: Vote): void {
    const height = node.height + this.#dice.pick([0, 1, 2, 3, 1000])!
    const said = kind === 'precommit' ? new Uint8Array() : undefined
    const bytes = this.#keys.vote(this.#identity, { kind, height, round, value }, said)
    const told = this.#dice.chance(0.7) ? height : node.height + 1
    for (const to of node.others) node.say(to, { type: 'message', height: told, bytes })
  }

  #forgeCertificate(node: MeshNode, { kind, height, round, value, signature }: Vote): void {
    const { validators } = node.state
    const own = { validator: this.#identity.key, signature }
    const signatures = this.#dice.chance(0.5)
      ? validators.map(({ key }) => ({ validator: key, signature }))
      : validators.map(() => own)
    const votes = signatures.map((one) => ({ kind, value, ...one }))
    const polka = value !== undefined && this.#dice.chance(0.5)
    const bytes = encodeMessage(
      polka
        ? { type: 'polka', height, round, value, signatures }
        : { type: 'round', height, round, cause: this.#dice.chance(0.5) ? 'skip' : 'precommit', votes },
    )
    for (const to of node.others) node.say(to, { type: 'message', height, bytes })
  }
}
