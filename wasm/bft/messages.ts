/**
 * What validators say to each other, as bytes; `crates/bft/src/message.rs` is the twin. Big-endian, every message in one
 * form only: bytes that decode encode to themselves.
 *
 * | message  | fields |
 * |---|---|
 * | vote     | 1 u8, kind u8 (1 prevote, 2 precommit), height u64, round u32, value, validator 32, signature 64, extension |
 * | proposal | 2 u8, height u64, round u32, polRound i32 (−1 none, or below the round), value 36, validator 32, signature 64 |
 * | polka    | 3 u8, height u64, round u32, value 36, count u8 (≤ 64), as many of: validator 32, signature 64 |
 * | round    | 4 u8, height u64, round u32, cause u8 (1 precommit, 2 skip), count u8 (≤ 64), as many of: kind u8, value, validator 32, signature 64 |
 *
 * value: 0 u8 for none, or 1 u8 and 36 bytes; extension: 0 u8 for none, or 1 u8, length u32 (≤ 65 536), bytes, signature 64.
 * A height is under 2^53, a round under 2^31 − 1.
 */
import { FieldReader, FieldWriter } from './fields.ts'
import {
  type BftMessage,
  EngineRefusal,
  KEY_BYTES,
  MAX_EXTENSION_BYTES,
  MAX_MESSAGE_BYTES,
  MAX_VALIDATORS,
  type PolkaCertificate,
  type Proposal,
  type RoundCertificate,
  type SignedExtension,
  SIGNATURE_BYTES,
  VALUE_BYTES,
  type Vote,
  type VoteKind,
} from './types.ts'

const KINDS = ['prevote', 'precommit'] as const satisfies VoteKind[]
const CAUSES = ['precommit', 'skip'] as const satisfies RoundCertificate['cause'][]
const READERS = [readVote, readProposal, readPolka, readRound] as const

/** Of the longest message but for its extension: a round certificate. */
const FIXED_BYTES = 16 + MAX_VALIDATORS * (2 + VALUE_BYTES + KEY_BYTES + SIGNATURE_BYTES)

/** @throws {RangeError} for fields that are out of range */
export function encodeMessage(message: BftMessage): Uint8Array {
  const extension = message.type === 'vote' ? (message.extension?.bytes.length ?? 0) : 0
  const writer = new FieldWriter(FIXED_BYTES + extension)
  switch (message.type) {
    case 'vote':
      writeVote(writer, message)
      break
    case 'proposal':
      writeProposal(writer, message)
      break
    case 'polka':
      writePolka(writer, message)
      break
    case 'round':
      writeRound(writer, message)
  }
  return writer.end()
}

/**
 * Says nothing about signatures, or who may say what.
 *
 * @throws {EngineRefusal} E_BFT_MESSAGE for bytes that are no message
 */
export function decodeMessage(bytes: Uint8Array): BftMessage {
  if (bytes.length > MAX_MESSAGE_BYTES) throw new EngineRefusal('E_BFT_MESSAGE', 'more bytes than a message has')
  try {
    const reader = new FieldReader(bytes)
    const message = reader.oneOf(READERS)(reader)
    reader.end()
    return message
  } catch (error) {
    throw new EngineRefusal('E_BFT_MESSAGE', `not a message of a validator: ${(error as Error).message}`)
  }
}

function writeVote(writer: FieldWriter, vote: Vote): void {
  writer.byte(1)
  writeKind(writer, vote.kind)
  writeValue(writer.place(vote), vote.value)
  writer.raw(vote.validator, KEY_BYTES).raw(vote.signature, SIGNATURE_BYTES)
  writer.byte(Number(vote.extension !== undefined))
  if (vote.extension !== undefined) writeExtension(writer, vote.extension)
}

function writeExtension(writer: FieldWriter, { bytes, signature }: SignedExtension): void {
  if (bytes.length > MAX_EXTENSION_BYTES) throw new RangeError(`an extension of ${bytes.length} bytes`)
  writer.u32(bytes.length).raw(bytes, bytes.length).raw(signature, SIGNATURE_BYTES)
}

function readVote(reader: FieldReader): Vote {
  const kind = reader.oneOf(KINDS)
  const { height, round } = reader.place()
  const [value, validator, signature] = [readValue(reader), reader.raw(KEY_BYTES), reader.raw(SIGNATURE_BYTES)]
  return { type: 'vote', kind, height, round, value, validator, signature, extension: reader.option(readExtension) }
}

function readExtension(reader: FieldReader): SignedExtension {
  const length = reader.u32()
  if (length > MAX_EXTENSION_BYTES) throw new RangeError(`an extension of ${length} bytes`)
  return { bytes: reader.raw(length), signature: reader.raw(SIGNATURE_BYTES) }
}

function writeProposal(writer: FieldWriter, proposal: Proposal): void {
  const { polRound } = proposal
  writer.byte(2).place(proposal)
  if (!isPolRound(polRound, proposal.round)) throw new RangeError(`${polRound} is no earlier round`)
  writer.u32(polRound >>> 0).raw(proposal.value, VALUE_BYTES)
  writer.raw(proposal.validator, KEY_BYTES).raw(proposal.signature, SIGNATURE_BYTES)
}

function readProposal(reader: FieldReader): Proposal {
  const { height, round } = reader.place()
  const polRound = reader.i32()
  if (!isPolRound(polRound, round)) throw new RangeError(`${polRound} is no earlier round`)
  const [value, validator] = [reader.raw(VALUE_BYTES), reader.raw(KEY_BYTES)]
  return { type: 'proposal', height, round, value, polRound, validator, signature: reader.raw(SIGNATURE_BYTES) }
}

function isPolRound(polRound: number, round: number): boolean {
  return Number.isInteger(polRound) && polRound >= -1 && polRound < round
}

function writePolka(writer: FieldWriter, polka: PolkaCertificate): void {
  writer.byte(3).place(polka).raw(polka.value, VALUE_BYTES)
  writeCount(writer, polka.signatures)
  for (const { validator, signature } of polka.signatures) {
    writer.raw(validator, KEY_BYTES).raw(signature, SIGNATURE_BYTES)
  }
}

function readPolka(reader: FieldReader): PolkaCertificate {
  const { height, round } = reader.place()
  const value = reader.raw(VALUE_BYTES)
  const readOne = () => ({ validator: reader.raw(KEY_BYTES), signature: reader.raw(SIGNATURE_BYTES) })
  return { type: 'polka', height, round, value, signatures: reader.list(MAX_VALIDATORS, readOne) }
}

function writeRound(writer: FieldWriter, certificate: RoundCertificate): void {
  writer
    .byte(4)
    .place(certificate)
    .byte(1 + CAUSES.indexOf(certificate.cause))
  writeCount(writer, certificate.votes)
  for (const { kind, value, validator, signature } of certificate.votes) {
    writeKind(writer, kind)
    writeValue(writer, value)
    writer.raw(validator, KEY_BYTES).raw(signature, SIGNATURE_BYTES)
  }
}

function readRound(reader: FieldReader): RoundCertificate {
  const { height, round } = reader.place()
  const cause = reader.oneOf(CAUSES)
  const votes = reader.list(MAX_VALIDATORS, () => {
    const [kind, value] = [reader.oneOf(KINDS), readValue(reader)]
    return { kind, value, validator: reader.raw(KEY_BYTES), signature: reader.raw(SIGNATURE_BYTES) }
  })
  return { type: 'round', height, round, cause, votes }
}

function writeKind(writer: FieldWriter, kind: VoteKind): void {
  writer.byte(1 + KINDS.indexOf(kind))
}

function writeValue(writer: FieldWriter, value: Uint8Array | undefined): void {
  writer.byte(Number(value !== undefined))
  if (value !== undefined) writer.raw(value, VALUE_BYTES)
}

function readValue(reader: FieldReader): Uint8Array | undefined {
  return reader.option(() => reader.raw(VALUE_BYTES))
}

function writeCount(writer: FieldWriter, items: readonly unknown[]): void {
  if (items.length > MAX_VALIDATORS) throw new RangeError(`${items.length} of at most ${MAX_VALIDATORS}`)
  writer.byte(items.length)
}
