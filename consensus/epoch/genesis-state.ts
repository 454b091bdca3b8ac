import { base58btc } from 'multiformats/bases/base58'
import { CodedError } from '../../protocols/shared/errors.ts'
import { equalBytes } from '../light/bytes.ts'
import { FOUNDING_VALIDATORS, foundingValidators, powersOf } from '../light/powers.ts'
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

const TRUSTING_MS = 14 * 86_400_000
const IDLE_FACTOR = 10
/** Identity multihash of a protobuf of an ed25519 public key: what a peer id of such a key begins with. */
const PEER_ID_PREFIX = Uint8Array.of(0x00, 0x24, 0x08, 0x01, 0x12, 0x20)

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
    trustingMs: TRUSTING_MS,
    collapseThreshold: Math.min(2 ** 30 - 1, Math.max(1, Math.round(collapseThreshold * 2 ** 30))),
    maxValidators: FOUNDING_VALIDATORS,
    doubleVote: 'remove',
  }
}

/** @returns the raw ed25519 key that a peer id carries */
export function keyOf(peerId: string): Uint8Array {
  try {
    const bytes = base58btc.baseDecode(peerId)
    if (bytes.length === 38 && equalBytes(bytes.subarray(0, 6), PEER_ID_PREFIX)) return bytes.slice(6)
  } catch {
    // said below
  }
  throw new CodedError('E_KEY_WEAK', `${peerId} is no peer id of an ed25519 key`)
}
