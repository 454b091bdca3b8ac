import * as dagCbor from '@ipld/dag-cbor'
import { hex, type ComplexQ30, type MeshState, type Operator } from '../../consensus/epoch/index.ts'
import { equalBytes } from '../../consensus/light/bytes.ts'
import { attestedOf } from '../../consensus/state/index.ts'
import { messageOf } from '../../protocols/shared/errors.ts'
import type { CellState } from '../cell/types.ts'
import type { Log } from '../telemetry/log.ts'
import { factsOf, operatorOf, type CellFacts } from './attest-body.ts'

/** A cell of which there is nothing new says so after this many epochs. */
export const MAX_SILENCE = 60
/** Epochs after which it is said again what is still not in the record. */
export const PATIENCE = 4
/** Time of the epochs before another T alone is said again: each costs the cell an entry of its log, and signatures. */
const T_PACE_MS = 900

export interface AskingInit {
  /** name of the cell */
  name: string
  cell: Pick<CellState, 'tree' | 'isLeader' | 'submit'>
  mesh: { readonly state: MeshState }
  log: Pick<Log, 'debug'>
}

/** What the cell says, but for its state. */
interface Asked {
  readonly epoch: number
  readonly t: ComplexQ30 | null
  /** of that epoch, Unix ms */
  readonly time: number
  readonly words: string
}

/** The leader's part: has it committed that the cell says something, when there is something to say. */
export class Asking {
  readonly #init: AskingInit
  #mean: { readonly epoch: number; readonly t: ComplexQ30 | null } | undefined
  #asked: Asked | undefined
  #isAsking = false
  #isStopped = false

  constructor(init: AskingInit) {
    this.#init = init
  }

  stop(): void {
    this.#isStopped = true
  }

  /** T_cell of an epoch that is final. */
  note(epoch: number, t: ComplexQ30 | null): void {
    this.#mean = { epoch, t }
  }

  ask(): void {
    const isOther = this.#isAsking || this.#isStopped || !this.#init.cell.isLeader
    const asked = isOther ? undefined : this.#due()
    if (asked !== undefined) void this.#submit(asked)
  }

  async #submit(asked: Asked): Promise<void> {
    const { epoch, t } = asked
    this.#isAsking = true
    this.#asked = asked
    try {
      await this.#init.cell.submit({ type: 'epoch-attest', epoch, t: t === null ? null : [...t] })
    } catch (error) {
      // The next epoch tries again.
      this.#asked = undefined
      this.#init.log.debug('an epoch was not attested', { epoch, reason: messageOf(error) })
      return
    } finally {
      this.#isAsking = false
    }
    // Something may have changed meanwhile.
    this.ask()
  }

  /** @returns undefined when the record says it all, or it is on its way */
  #due(): Asked | undefined {
    const { cell, mesh, name } = this.#init
    const { state } = mesh
    const t = this.#meanOf(state.height)
    const operator = operatorOf(name, state)
    const facts = factsOf(name, cell.tree, state)
    if (t === undefined || operator === undefined || facts === undefined) return undefined
    const isSilent = state.height - (operator.attested?.epoch ?? 0) >= MAX_SILENCE
    const isEarly = this.#asked !== undefined && state.time < this.#asked.time + T_PACE_MS
    if (!isSilent && saysFacts(operator, facts) && (isEarly || saysT(operator, t))) return undefined
    const words = hex(dagCbor.encode({ t, ...facts }))
    const isOnItsWay = this.#asked?.words === words && state.height < this.#asked.epoch + PATIENCE
    return isOnItsWay ? undefined : { epoch: state.height, t, time: state.time, words }
  }

  /** Of one epoch a cell says one T; who leads since a moment ago has it from the cell. */
  #meanOf(epoch: number): ComplexQ30 | null | undefined {
    const said = attestedOf(this.#init.cell.tree)
    if (said?.epoch === epoch) return said.t
    return this.#mean?.epoch === epoch ? this.#mean.t : undefined
  }
}

function saysT({ attested }: Operator, t: ComplexQ30 | null): boolean {
  return attested !== undefined && attested.t?.[0] === t?.[0] && attested.t?.[1] === t?.[1]
}

function saysFacts({ members, validators, attested }: Operator, now: CellFacts): boolean {
  const isUnchanged = isSameList(members, now.members) && isSameList(validators, now.validators)
  return attested !== undefined && now.revoked.length === 0 && isUnchanged
}

function isSameList(one: readonly Uint8Array[], other: readonly Uint8Array[]): boolean {
  return one.length === other.length && one.every((key, at) => equalBytes(key, other[at]!))
}
