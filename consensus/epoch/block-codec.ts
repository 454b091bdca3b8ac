import type { Codec } from '../../protocols/shared/codec.ts'
import type { CommitCertificate } from '../mesh/engine.ts'
import { certificateCodec, readCertificate, writeCertificate } from './certificate-codec.ts'
import { cidOf } from './cid.ts'
import { bytes, defineCanonical, listOf, orNull, tuple } from './fields.ts'
import { headerCodec } from './header-codec.ts'
import {
  MAX_ATTESTATION_BYTES,
  MAX_BLOCK_BYTES,
  MAX_CERTIFICATE_BYTES,
  MAX_COMMANDS,
  MAX_COMMAND_BYTES,
  MAX_EVIDENCE,
  MAX_EVIDENCE_BYTES,
  MAX_HEADER_BYTES,
  MAX_OPERATORS,
  MAX_REPORTS,
  MAX_REPORT_BYTES,
} from './limits.ts'
import type { EpochBlock, EpochHeader, FinalEpoch } from './types.ts'

const list = (name: string, max: number, maxBytes: number): Codec<readonly Uint8Array[]> =>
  defineCanonical(name, max * (maxBytes + 3) + 9, listOf(bytes(1, maxBytes), max))

/** The lists of a block, each a dag-cbor block of its own that the header links to. */
export const LIST = {
  precommits: defineCanonical<CommitCertificate | null>(
    'precommits',
    MAX_CERTIFICATE_BYTES,
    orNull(readCertificate),
    (value) => (value === null ? null : writeCertificate(value)),
  ),
  reports: list('reports', MAX_REPORTS, MAX_REPORT_BYTES),
  attestations: list('attestations', MAX_OPERATORS, MAX_ATTESTATION_BYTES),
  governance: list('governance', MAX_COMMANDS, MAX_COMMAND_BYTES),
  evidence: list('evidence list', MAX_EVIDENCE, MAX_EVIDENCE_BYTES),
} as const

export const LISTS = ['precommits', 'reports', 'attestations', 'governance', 'evidence'] as const

/** A block as bytes: what is hashed, kept and linked to. */
export interface BlockParts {
  readonly header: Uint8Array
  readonly precommits: Uint8Array
  readonly reports: Uint8Array
  readonly attestations: Uint8Array
  readonly governance: Uint8Array
  readonly evidence: Uint8Array
}

const part = bytes(1, MAX_BLOCK_BYTES)
const sixParts = tuple<readonly Uint8Array[]>(bytes(1, MAX_HEADER_BYTES), part, part, part, part, part)

/** ≤ 1 MiB: [header, precommits, reports, attestations, governance, evidence], each the bytes of a dag-cbor block. */
export const partsCodec: Codec<BlockParts> = defineCanonical(
  'epoch block',
  MAX_BLOCK_BYTES,
  (value) => {
    const [header, ...lists] = sixParts(value)
    return {
      header: header!,
      ...(Object.fromEntries(LISTS.map((name, at) => [name, lists[at]!])) as Omit<BlockParts, 'header'>),
    }
  },
  (parts) => [parts.header, ...LISTS.map((name) => parts[name])],
)

export type BlockLists = Omit<EpochBlock, 'header'>
export type ListParts = Omit<BlockParts, 'header'>

export function encodeLists(lists: BlockLists): ListParts {
  return {
    precommits: LIST.precommits.encode(lists.precommits),
    reports: LIST.reports.encode(lists.reports),
    attestations: LIST.attestations.encode(lists.attestations),
    governance: LIST.governance.encode(lists.governance),
    evidence: LIST.evidence.encode(lists.evidence),
  }
}

/** @returns what the header says of the lists */
export function linksOf(parts: ListParts): Pick<EpochHeader, (typeof LISTS)[number]> {
  return {
    precommits: cidOf(parts.precommits),
    reports: cidOf(parts.reports),
    attestations: cidOf(parts.attestations),
    governance: cidOf(parts.governance),
    evidence: cidOf(parts.evidence),
  }
}

/** Whether the lists are those that the header links to is not asked here: `isLinked`. */
export function readLists(parts: ListParts): BlockLists {
  return {
    precommits: LIST.precommits.decode(parts.precommits),
    reports: LIST.reports.decode(parts.reports),
    attestations: LIST.attestations.decode(parts.attestations),
    governance: LIST.governance.decode(parts.governance),
    evidence: LIST.evidence.decode(parts.evidence),
  }
}

/** A whole epoch as a proposal's parts, the store and sync carry it. */
export const blockCodec: Codec<EpochBlock> = {
  name: 'whole epoch',
  maxBytes: MAX_BLOCK_BYTES,
  encode: (block) => partsCodec.encode({ header: headerCodec.encode(block.header), ...encodeLists(block) }),
  decode: (bytes) => {
    const parts = partsCodec.decode(bytes)
    return { header: headerCodec.decode(parts.header), ...readLists(parts) }
  },
}

/** @returns the header of an encoded block; the rest is bounded, not read. @throws {CodedError} E_FRAME_… */
export function headerOf(block: Uint8Array): EpochHeader {
  return headerCodec.decode(partsCodec.decode(block).header)
}

const finalPair = tuple<readonly [Uint8Array, Uint8Array]>(part, bytes(1, MAX_CERTIFICATE_BYTES))

/** ≤ 1.5 MiB: [block, certificate] as bytes. */
export const finalPartsCodec: Codec<readonly [block: Uint8Array, certificate: Uint8Array]> = defineCanonical(
  'final epoch as bytes',
  MAX_BLOCK_BYTES + MAX_CERTIFICATE_BYTES + 16,
  finalPair,
)

export const finalCodec: Codec<FinalEpoch> = {
  name: 'final epoch',
  maxBytes: finalPartsCodec.maxBytes,
  encode: ({ block, certificate }) =>
    finalPartsCodec.encode([blockCodec.encode(block), certificateCodec.encode(certificate)]),
  decode: (bytes) => {
    const [block, certificate] = finalPartsCodec.decode(bytes)
    return { block: blockCodec.decode(block), certificate: certificateCodec.decode(certificate) }
  },
}
