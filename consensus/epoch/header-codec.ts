import { CID } from 'multiformats/cid'
import type { Codec } from '../../protocols/shared/codec.ts'
import { cidOf } from './cid.ts'
import { cidBytes, complex, defineCanonical, flag, key, link, record, refuse, whole } from './fields.ts'
import { MAX_HEADER_BYTES, MAX_ROUND, MAX_TOTAL_WEIGHT } from './limits.ts'
import type { EpochDecision, EpochHeader } from './types.ts'

const power = whole(0, MAX_TOTAL_WEIGHT - 1)

const read = record<EpochHeader>({
  v: (value) => (value === 1 ? 1 : refuse('of another version')),
  mesh: cidBytes,
  height: whole(1),
  round: whole(0, MAX_ROUND),
  time: whole(),
  proposer: key,
  previous: cidBytes,
  validators: cidBytes,
  nextValidators: cidBytes,
  state: cidBytes,
  precommits: link,
  reports: link,
  attestations: link,
  governance: link,
  evidence: link,
  t: complex,
  median: complex,
  decision: record<EpochDecision>({
    collapsed: flag,
    agreeingWeight: power,
    reportingWeight: power,
    totalWeight: power,
  }),
})

/** The lists are links, so that who pins a header pins its whole epoch, and no other. */
function write(header: EpochHeader): unknown {
  const links = (['precommits', 'reports', 'attestations', 'governance', 'evidence'] as const).map((name) => [
    name,
    CID.decode(header[name]),
  ])
  return { ...header, ...Object.fromEntries(links) }
}

/** ≤ 2 KiB: a map of the fields of {@link EpochHeader} by their names. */
export const headerCodec: Codec<EpochHeader> = defineCanonical('epoch header', MAX_HEADER_BYTES, read, write)

/** What validators vote for: the CID of the header's bytes. */
export function valueOf(headerBytes: Uint8Array): Uint8Array {
  return cidOf(headerBytes)
}
