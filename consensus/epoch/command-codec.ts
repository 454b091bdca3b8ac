import type { Codec } from '../../protocols/shared/codec.ts'
import { equalBytes } from '../light/bytes.ts'
import { readChange } from './change-codec.ts'
import { bytes, cidBytes, defineCanonical, flag, key, oneOf, record, signature, tuple, whole } from './fields.ts'
import { MAX_COMMAND_BYTES } from './limits.ts'
import type { Ballot, GovernanceCommand, Move } from './types.ts'

const move = record<Move>({
  kind: oneOf('move'),
  mesh: cidBytes,
  by: key,
  at: whole(),
  change: readChange,
  expires: whole(1),
  effectiveAt: whole(),
})
const ballot = record<Ballot>({ kind: oneOf('vote'), mesh: cidBytes, by: key, motion: bytes(32), yes: flag })

/** ≤ 4 KiB; what is signed under `kairos/bft/governance/1`. */
export const commandCodec: Codec<GovernanceCommand> = defineCanonical(
  'governance command',
  MAX_COMMAND_BYTES - 128,
  (value): GovernanceCommand => ((value as { kind?: unknown } | null)?.kind === 'vote' ? ballot(value) : move(value)),
)

const envelope = tuple<readonly [body: Uint8Array, signature: Uint8Array]>(bytes(1, MAX_COMMAND_BYTES), signature)

/** [command's bytes, signature]: as it travels and stands in a block. */
export const signedCommandCodec: Codec<readonly [Uint8Array, Uint8Array]> = defineCanonical(
  'signed governance command',
  MAX_COMMAND_BYTES,
  envelope,
)

export interface OpenedCommand {
  readonly command: GovernanceCommand
  /** what is signed under DOMAIN.governance; its sha-256 is the id of the motion that it makes */
  readonly body: Uint8Array
  readonly signature: Uint8Array
}

/** @returns the bytes that the key's owner signs under DOMAIN.governance */
export function commandBody(command: GovernanceCommand): Uint8Array {
  return commandCodec.encode(command)
}

export function sealCommand(body: Uint8Array, signature: Uint8Array): Uint8Array {
  return signedCommandCodec.encode([body, signature])
}

/** @returns a code when the bytes are no command of this mesh; the signature is not checked here */
export function openCommand(mesh: Uint8Array, bytes: Uint8Array): OpenedCommand | string {
  try {
    const [body, signature] = signedCommandCodec.decode(bytes)
    const command = commandCodec.decode(body)
    return equalBytes(command.mesh, mesh) ? { command, body, signature } : 'E_GOVERNANCE_MESH'
  } catch {
    return 'E_GOVERNANCE_MALFORMED'
  }
}
