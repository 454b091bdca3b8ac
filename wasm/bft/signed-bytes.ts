/**
 * What validators sign (`crates/bft/src/signed.rs` says the same): a domain, a zero byte, then fixed fields, big-endian.
 * Whoever verifies a record needs these: nothing here needs Node or wasm.
 */
import type { Proposal, Vote } from './types.ts'

const HIGH = 2 ** 32
/** Bytes of a height and a round. */
const PLACE_BYTES = 12

/** Where something is said: of one mesh, at one height, in one round. */
export interface Place {
  readonly height: number
  readonly round: number
}

/** What a vote's signature is of. @param mesh - the mesh id, 36 bytes */
export function voteBytes(mesh: Uint8Array, vote: Pick<Vote, 'kind' | 'value'> & Place): Uint8Array {
  const kind = Uint8Array.of(vote.kind === 'prevote' ? 1 : 2, Number(vote.value !== undefined))
  return join(domain('vote'), mesh, place(vote), kind, vote.value ?? new Uint8Array(0))
}

/** What a proposal's signature is of. */
export function proposalBytes(mesh: Uint8Array, proposal: Pick<Proposal, 'polRound' | 'value'> & Place): Uint8Array {
  const polRound = new Uint8Array(4)
  new DataView(polRound.buffer).setInt32(0, proposal.polRound)
  return join(domain('proposal'), mesh, place(proposal), polRound, proposal.value)
}

/** What the signature of a precommit's extension is of. */
export function extensionBytes(
  mesh: Uint8Array,
  vote: { readonly value: Uint8Array; readonly validator: Uint8Array } & Place,
  extension: Uint8Array,
): Uint8Array {
  return join(domain('extension'), mesh, place(vote), vote.value, vote.validator, extension)
}

function domain(name: string): Uint8Array {
  return new TextEncoder().encode(`kairos/bft/${name}/1\0`)
}

function place({ height, round }: Place): Uint8Array {
  const bytes = new Uint8Array(PLACE_BYTES)
  const view = new DataView(bytes.buffer)
  view.setUint32(0, Math.floor(height / HIGH))
  view.setUint32(4, height % HIGH)
  view.setUint32(8, round)
  return bytes
}

function join(...parts: readonly Uint8Array[]): Uint8Array {
  const joined = new Uint8Array(parts.reduce((length, part) => length + part.length, 0))
  let at = 0
  for (const part of parts) {
    joined.set(part, at)
    at += part.length
  }
  return joined
}
