import type { Data } from './cbor.ts'
import { keyOfPeerId } from './text.ts'
import { decodeWithin, fieldsOf, listOf, malformed, textOf, wholeOf } from './read.ts'

const GENESIS = { maxBytes: 32_768, maxItems: 16_384 }
const MAX_OPERATORS = 64
const MAX_FOUNDERS = 32

/** What a genesis says of the record's beginning. */
export interface LightGenesis {
  /** the mesh's name, for people */
  readonly name: string
  /** Unix ms */
  readonly created: number
  readonly operators: readonly {
    readonly cell: string
    readonly weight: number
    /** raw keys of its full founders */
    readonly members: readonly Uint8Array[]
  }[]
}

/** Reads what `genesisCodec` of protocols/admission writes. @throws {CodedError} E_LIGHT_FILE */
export function readGenesis(bytes: Uint8Array): LightGenesis {
  const { name, created, operators } = fieldsOf(
    'the genesis',
    decodeWithin('the genesis', bytes, GENESIS),
    ...(['version', 'name', 'created', 'open', 'omega', 'collapseThreshold', 'epochMs', 'operators'] as const),
  )
  return {
    name: textOf('the name of the mesh', name),
    created: wholeOf('the time of the genesis', created),
    operators: listOf('the operators', operators, MAX_OPERATORS).map(operatorOf),
  }
}

function operatorOf(value: Data): LightGenesis['operators'][number] {
  const { cell, weight, founders } = fieldsOf('an operator', value, 'name', 'cell', 'weight', 'founders')
  return {
    cell: textOf('a cell', cell),
    weight: wholeOf('a weight', weight, 1, 2 ** 33 - 1),
    members: listOf('the founders', founders, MAX_FOUNDERS).flatMap(keyOfFullFounder),
  }
}

function keyOfFullFounder(value: Data): Uint8Array[] {
  const { peerId, role } = fieldsOf('a founder', value, 'peerId', 'name', 'role')
  const key = keyOfPeerId(textOf('a peer id', peerId))
  if (key === undefined) throw malformed('a founder has a peer id of no ed25519 key')
  return role === 'full' ? [key] : []
}
