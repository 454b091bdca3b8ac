import { CodedError } from '../../protocols/shared/errors.ts'
import { FOUNDING_VALIDATORS, foundingValidators, powersOf } from '../light/powers.ts'
import { DEFAULT_TRUSTING_MS } from '../light/skip.ts'
import { keyOfPeerId } from '../light/text.ts'
import type { MeshState, Operator, Policy } from './types.ts'
import { inOrder } from './validators.ts'

/** Of a genesis (`protocols/admission`), what the record begins with. */
export interface GenesisLike {
  readonly created: number
  readonly collapseThreshold: number
  readonly epochMs: number
  readonly operators: readonly {
    readonly name: string
    readonly cell: string
    readonly weight: number
    readonly founders: readonly { readonly peerId: string; readonly role: string }[]
  }[]
}

const IDLE_FACTOR = 10

/**
 * The state that the first epoch follows on: the founders that are full nodes are their operators' members and, up to
 * seven of an operator, its validators.
 *
 * @param mesh - CID of the genesis, 36 bytes
 * @throws {CodedError} E_KEY_WEAK for a peer id that carries no ed25519 key
 */
export function genesisState(genesis: GenesisLike, mesh: Uint8Array): MeshState {
  const operators = genesis.operators
    .map(({ name, cell, weight, founders }): Operator => {
      const full = founders.filter(({ role }) => role === 'full')
      const members = inOrder(full.map(({ peerId }) => keyOf(peerId)))
      const validators = foundingValidators(members, genesis.operators.length)
      return { name, cell, weight, members, validators, attested: undefined }
    })
    .sort((a, b) => (a.cell < b.cell ? -1 : 1))
  const validators = powersOf(operators)
  return {
    mesh,
    height: 0,
    time: genesis.created,
    head: mesh,
    operators,
    lastValidators: [],
    validators,
    nextValidators: validators,
    reporters: [],
    policy: firstPolicy(genesis),
    motions: [],
    revoked: [],
    out: [],
  }
}

function firstPolicy({ epochMs, collapseThreshold }: GenesisLike): Policy {
  return {
    epochMs,
    idleEpochMs: epochMs * IDLE_FACTOR,
    trustingMs: DEFAULT_TRUSTING_MS,
    collapseThreshold: Math.min(2 ** 30 - 1, Math.max(1, Math.round(collapseThreshold * 2 ** 30))),
    maxValidators: FOUNDING_VALIDATORS,
    doubleVote: 'remove',
  }
}

/** @returns the raw ed25519 key that a peer id carries */
export function keyOf(peerId: string): Uint8Array {
  const key = keyOfPeerId(peerId)
  if (key !== undefined) return key
  throw new CodedError('E_KEY_WEAK', `${peerId} is no peer id of an ed25519 key`)
}
