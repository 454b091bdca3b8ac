import type { Ed25519PrivateKey } from '@libp2p/interface'
import {
  commandBody,
  digestOf,
  DOMAIN,
  sealCommand,
  type EpochApplication,
  type GovernanceCommand,
  type MeshState,
  type Motion,
} from '../../consensus/epoch/index.ts'
import { isPending } from '../../consensus/epoch/governance.ts'
import { equalBytes } from '../../consensus/light/bytes.ts'
import { CodedError } from '../../protocols/shared/errors.ts'
import { sign } from '../../protocols/shared/signature.ts'
import { ERRORS } from '../error-table.ts'
import type { Change, MotionOptions, MotionRow } from '../operations-mesh.ts'
import { motionRow, type Naming } from './documents.ts'
import type { EpochRecord } from './epoch-record.ts'

/** Epochs in which a motion may be carried, unless told. */
const DEFAULT_EXPIRY = 100_000
/** A command is in an epoch within this, or there is no quorum. */
const PATIENCE_MS = 30_000

export interface MotionsInit {
  privateKey: Ed25519PrivateKey
  record: EpochRecord
  naming: Naming
  /** To all other validators. */
  publish: (bytes: Uint8Array) => void
}

/** What this validator says about the set and the policy. */
export class Motions {
  readonly #init: MotionsInit

  constructor(init: MotionsInit) {
    this.#init = init
  }

  list(): MotionRow[] {
    const { state } = this.#init.record
    const pending = state.motions.filter((motion) => isPending(motion, state.height))
    return pending.map((motion) => motionRow(motion, state, this.#init.naming))
  }

  /** @throws {CodedError} E_NOT_VALIDATOR, E_MOTION_REFUSED, E_NO_QUORUM */
  async move(change: Change, { effectiveAt = 0, expiresIn = DEFAULT_EXPIRY }: MotionOptions): Promise<MotionRow> {
    const { mesh, height: at } = this.#init.record.state
    const by = this.#requireVote()
    const command = { kind: 'move', mesh, by, at, change, expires: at + expiresIn, effectiveAt } as const
    return this.#say(command, digestOf(commandBody(command)))
  }

  /** @throws {CodedError} as `move`; E_MOTION_UNKNOWN */
  async vote(motion: string, yes: boolean): Promise<MotionRow> {
    const id = new Uint8Array(Buffer.from(motion, 'hex'))
    if (find(this.#init.record.state, id) === undefined) throw unknownMotion(motion)
    const { mesh } = this.#init.record.state
    return this.#say({ kind: 'vote', mesh, by: this.#requireVote(), motion: id, yes }, id)
  }

  /** Resolves when it is in an epoch that is final here. */
  async #say(command: GovernanceCommand, motion: Uint8Array): Promise<MotionRow> {
    const { privateKey, record, publish } = this.#init
    const body = commandBody(command)
    const bytes = sealCommand(body, await sign(privateKey, DOMAIN.governance, body))
    const code = putGovernance(record.application, bytes)
    if (code !== undefined) throw refusedMotion(code)
    const included = this.#untilIncluded(bytes, motion)
    publish(bytes)
    return included
  }

  #untilIncluded(bytes: Uint8Array, id: Uint8Array): Promise<MotionRow> {
    const { record, naming } = this.#init
    const { promise, resolve, reject } = Promise.withResolvers<MotionRow>()
    let last: Motion | undefined = find(record.state, id)
    const unlisten = record.onFinal(({ block }, state) => {
      const motion = find(state, id)
      last = motion ?? last
      // Its mover has not been heard yet.
      if (last === undefined) return
      if (block.governance.some((each) => equalBytes(each, bytes))) return resolve(motionRow(last, state, naming))
      if (motion === undefined || !isPending(motion, state.height)) reject(decidedBefore())
    })
    const late = setTimeout(() => reject(noQuorum()), PATIENCE_MS)
    return promise.finally(() => {
      clearTimeout(late)
      unlisten()
    })
  }

  #requireVote(): Uint8Array {
    const key = this.#init.privateKey.publicKey.raw
    if (this.#init.record.state.validators.some((validator) => equalBytes(validator.key, key))) return key
    const names = this.#init.record.state.validators.slice(0, 3).map((one) => this.#init.naming.named(one.key).name)
    throw new CodedError('E_NOT_VALIDATOR', 'only validators move and vote, and this node is none now', {
      hint: `run the command on a validator, such as ${names.join(' or ')}`,
    })
  }
}

/** What was said before is on its way: to say it again is no fault. */
function putGovernance({ pending }: EpochApplication, bytes: Uint8Array): string | undefined {
  const code = pending.putGovernance(bytes)
  return code === 'E_GOVERNANCE_PENDING' ? undefined : code
}

function find({ motions }: MeshState, id: Uint8Array): Motion | undefined {
  return motions.find((motion) => equalBytes(motion.id, id))
}

function refusedMotion(code: string): CodedError {
  const why = ERRORS[code]?.meaning ?? 'the rules of the record do not allow that'
  return new CodedError('E_MOTION_REFUSED', `${why} (${code})`, {
    hint: '`kairos validators` shows the set, `kairos validators motions` what is being voted on',
  })
}

function unknownMotion(id: string): CodedError {
  return new CodedError('E_MOTION_UNKNOWN', `no motion that is open begins with ${id}`, {
    hint: '`kairos validators motions` lists them',
  })
}

function decidedBefore(): CodedError {
  return new CodedError('E_MOTION_REFUSED', 'the motion was decided, or has lapsed, before this was in an epoch', {
    hint: '`kairos validators` shows what holds now',
  })
}

function noQuorum(): CodedError {
  return new CodedError('E_NO_QUORUM', 'it is in no epoch yet: validators of more than a third of the power are away', {
    hint: 'nothing is lost: it goes into the next epoch; `kairos validators` shows who is connected',
  })
}
