import { type ByteReader, ByteWriter } from '../raft/bytes.ts'
import { decodeMessage } from './messages.ts'
import type {
  CommitCertificate,
  EngineEffect,
  EngineInput,
  EngineStart,
  Equivocation,
  SignedExtension,
  Timeout,
  TimeoutKind,
} from './types.ts'

const TIMEOUTS = ['propose', 'prevote', 'precommit', 'rebroadcast'] as const satisfies TimeoutKind[]

/** The twin of `crates/bft/src/input.rs`. */
export function encodeInput(input: EngineInput, writer = new ByteWriter(4096)): ByteWriter {
  writer.begin()
  switch (input.type) {
    case 'start':
      writer.byte(0)
      break
    case 'message':
      writer.byte(1).bytes(input.bytes)
      break
    case 'timeout':
      writer.byte(2).byte(TIMEOUTS.indexOf(input.timeout.kind)).whole(input.timeout.round)
      break
    case 'propose':
      writer.byte(3).whole(input.round).bytes(input.value)
      break
    case 'block':
      // Of the earlier round one more than it is, so that none is zero.
      writer
        .byte(4)
        .whole(input.round)
        .whole(input.validRound + 1)
      writer.bytes(input.proposer).bytes(input.value).byte(Number(input.valid))
  }
  return writer
}

export function encodeStart({ mesh, height, validators, seed, log }: EngineStart): Uint8Array {
  const writer = new ByteWriter(4096)
  writer.bytes(mesh).whole(height)
  writer.list(validators, (_, { key, power }) => writer.bytes(key).whole(power))
  writer.bytes(seed).list(log, (_, record) => writer.bytes(record))
  return writer.end()
}

/** The twin of `crates/bft/src/effects.rs`. */
export function decodeEffects(reader: ByteReader): EngineEffect[] {
  return reader.list(readEffect)
}

const READERS: readonly ((reader: ByteReader) => EngineEffect)[] = [
  (reader) => ({ type: 'log', record: reader.bytes() }),
  (reader) => ({ type: 'publish', bytes: reader.bytes() }),
  (reader) => ({ type: 'timeout', timeout: readTimeout(reader) }),
  () => ({ type: 'cancelTimeouts' }),
  (reader) => ({ type: 'round', round: reader.whole(), proposer: reader.bytes() }),
  (reader) => ({ type: 'getValue', round: reader.whole() }),
  (reader) => ({ type: 'restream', round: reader.whole() - 1, validRound: reader.whole() - 1, value: reader.bytes() }),
  (reader) => ({ type: 'decide', certificate: readCertificate(reader) }),
  (reader) => ({ type: 'equivocation', evidence: readEvidence(reader) }),
]

function readEffect(reader: ByteReader): EngineEffect {
  return READERS[reader.byte()]!(reader)
}

function readTimeout(reader: ByteReader): Timeout {
  return { kind: TIMEOUTS[reader.byte()]!, round: reader.whole() - 1 }
}

function readCertificate(reader: ByteReader): CommitCertificate {
  const [height, round, value] = [reader.whole(), reader.whole() - 1, reader.bytes()]
  return { height, round, value, signatures: reader.list(readSignature) }
}

function readSignature(reader: ByteReader): CommitCertificate['signatures'][number] {
  const [validator, signature] = [reader.bytes(), reader.bytes()]
  const extension = reader.option(readExtension)
  return extension === undefined ? { validator, signature } : { validator, signature, extension }
}

function readExtension(reader: ByteReader): SignedExtension {
  return { bytes: reader.bytes(), signature: reader.bytes() }
}

function readEvidence(reader: ByteReader): Equivocation {
  const [first, second] = [decodeMessage(reader.bytes()), decodeMessage(reader.bytes())]
  if (first.type === 'vote' && second.type === 'vote') return { type: 'votes', first, second }
  if (first.type === 'proposal' && second.type === 'proposal') return { type: 'proposals', first, second }
  throw new TypeError('an equivocation is of two votes or two proposals')
}
