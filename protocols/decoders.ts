import { admissionCodecs } from './admission/index.ts'
import { auditCodecs } from './audit/index.ts'
import { bftCodecs } from './bft/index.ts'
import { blocksCodecs } from './blocks/index.ts'
import { phaseCodecs } from './phase/index.ts'
import { pinsCodecs } from './pins/index.ts'
import { queryCodecs } from './query/index.ts'
import { raftCodecs } from './raft/index.ts'
import { statusCodec } from './status/index.ts'
import { syncCodecs } from './sync/index.ts'

/** Anything that turns a peer's bytes into values, and how many it may be given. */
export interface Decoder {
  readonly name: string
  readonly maxBytes: number
  decode(bytes: Uint8Array): unknown
}

/** Every decoder of a peer's bytes: a new one is listed here, or the fuzz test says so. */
export const DECODERS: readonly Decoder[] = [
  ...admissionCodecs,
  ...auditCodecs,
  ...bftCodecs,
  ...blocksCodecs,
  ...phaseCodecs,
  ...pinsCodecs,
  ...queryCodecs,
  ...raftCodecs,
  statusCodec,
  ...syncCodecs,
]
