import type { CommitCertificate, Validator } from '../../wasm/bft/types.ts'
import { cidOf } from '../epoch/cid.ts'
import type { ComplexQ30, EpochDecision, EpochHeader } from '../epoch/types.ts'
import { compareBytes } from './bytes.ts'
import { encode, type Data } from './cbor.ts'
import {
  bytesOf,
  cidBytesOf,
  decodeWithin,
  fieldsOf,
  flagOf,
  listOf,
  malformed,
  tupleOf,
  wholeOf,
  type Limits,
} from './read.ts'
import type { ValidatorSet } from './skip.ts'

/**
 * Readers of the record's blocks for pages: the same bytes as the codecs of consensus/epoch, which a test compares, in
 * a tenth of their size.
 */
const MAX_VALIDATORS = 64
const MAX_POWER = 2 ** 33 - 1
const HEADER: Limits = { maxBytes: 2048, maxItems: 64 }
const SET: Limits = { maxBytes: 4096, maxItems: 3 * MAX_VALIDATORS + 1 }
const CERTIFICATE: Limits = { maxBytes: 8192, maxItems: 3 * MAX_VALIDATORS + 5 }

export function readHeader(bytes: Uint8Array): EpochHeader {
  const { v, height, round, time, proposer, t, median, decision, ...cids } = fieldsOf(
    'a header',
    decodeWithin('a header', bytes, HEADER),
    ...(['v', 'mesh', 'height', 'round', 'time', 'proposer', 'previous', 'validators', 'nextValidators'] as const),
    ...(['state', 'precommits', 'reports', 'attestations', 'governance', 'evidence'] as const),
    ...(['t', 'median', 'decision'] as const),
  )
  if (v !== 1) throw malformed('the epoch is of a later version than this program reads')
  const read = (name: keyof typeof cids): Uint8Array => cidBytesOf(`${name} of a header`, cids[name])
  return {
    v,
    mesh: read('mesh'),
    height: wholeOf('the height', height, 1),
    round: wholeOf('the round', round),
    time: wholeOf('the time', time),
    proposer: bytesOf('the proposer', proposer, 32),
    previous: read('previous'),
    validators: read('validators'),
    nextValidators: read('nextValidators'),
    state: read('state'),
    precommits: read('precommits'),
    reports: read('reports'),
    attestations: read('attestations'),
    governance: read('governance'),
    evidence: read('evidence'),
    t: complexOf(t),
    median: complexOf(median),
    decision: decisionOf(decision),
  }
}

function complexOf(value: Data): ComplexQ30 {
  const [re, im] = tupleOf('a complex number', value, 2).map((part) => wholeOf('its part', part, -(2 ** 30), 2 ** 30))
  return [re!, im!]
}

function decisionOf(value: Data): EpochDecision {
  const fields = fieldsOf('a decision', value, 'collapsed', 'agreeingWeight', 'reportingWeight', 'totalWeight')
  const weight = (each: Data): number => wholeOf('a weight', each, 0, MAX_POWER)
  return {
    collapsed: flagOf('collapsed', fields.collapsed),
    agreeingWeight: weight(fields.agreeingWeight),
    reportingWeight: weight(fields.reportingWeight),
    totalWeight: weight(fields.totalWeight),
  }
}

/** [[key, power]…] in the order of the keys. */
export function readSet(bytes: Uint8Array): ValidatorSet {
  const pairs = listOf('a validator set', decodeWithin('a validator set', bytes, SET), MAX_VALIDATORS)
  const validators = pairs.map((pair): Validator => {
    const [key, power] = tupleOf('a validator', pair, 2)
    return { key: bytesOf('a key', key!, 32), power: wholeOf('a power', power!, 1, MAX_POWER) }
  })
  if (validators.some(({ key }, i) => i > 0 && compareBytes(validators[i - 1]!.key, key) >= 0)) {
    throw malformed('the validators of a set are not in the order of their keys')
  }
  return { cid: cidOf(bytes), validators }
}

export function encodeSet(validators: readonly Validator[]): Uint8Array {
  return encode(validators.map(({ key, power }) => [key, power]))
}

/** [height, round, value, [[key, signature]…]] */
export function readCertificate(bytes: Uint8Array): CommitCertificate {
  const content = decodeWithin('a certificate', bytes, CERTIFICATE)
  const [height, round, value, signatures] = tupleOf('a certificate', content, 4)
  return {
    height: wholeOf('the height', height!, 1),
    round: wholeOf('the round', round!, 0, 2 ** 31 - 1),
    value: bytesOf('the value', value!, 36),
    signatures: listOf('the signatures', signatures!, MAX_VALIDATORS).map((pair) => {
      const [validator, signature] = tupleOf('a signature', pair, 2)
      return { validator: bytesOf('a key', validator!, 32), signature: bytesOf('a signature', signature!, 64) }
    }),
  }
}

/** Without what the validators' extensions say: they prove nothing to who verifies the decision. */
export function encodeCertificate({ height, round, value, signatures }: CommitCertificate): Uint8Array {
  return encode([height, round, value, signatures.map(({ validator, signature }) => [validator, signature])])
}
