import { encode } from '@ipld/dag-cbor'
import { writeCertificate } from '../../../consensus/epoch/certificate-codec.ts'
import {
  certificateCodec,
  DOMAIN,
  openBlock,
  plain,
  powerOf,
  totalPower,
  voteBody,
  type MeshState,
} from '../../../consensus/epoch/index.ts'
import type { CommitCertificate } from '../../../consensus/mesh/index.ts'
import type { Dice } from '../dice.ts'
import { sealed } from './false-blocks.ts'
import type { Keys } from './keys.ts'
import type { MeshNode } from './node.ts'
import type { SyncedEpoch } from './packets.ts'

/** What a lying peer gives in place of the first of some epochs. */
export function falseEpochs(
  keys: Keys,
  node: MeshNode,
  from: number,
  epochs: readonly SyncedEpoch[],
  dice: Dice,
): readonly SyncedEpoch[] {
  const [first, ...rest] = epochs
  if (first === undefined) return epochs
  const state = node.stateAt(from - 1)
  const before = node.disk.image.chain[from - 2] ?? first
  const lies = [
    () => cut(first, dice),
    () => ({ ...first, certificate: before.certificate }),
    () => fewer(first, state, dice),
    () => forged(keys, node, first, state),
    () => first,
    () => stripped(first),
  ]
  return [dice.pick(lies)!(), ...rest]
}

function cut({ block, certificate }: SyncedEpoch, dice: Dice): SyncedEpoch {
  return { block: block.subarray(0, dice.whole(0, block.length - 1)), certificate }
}

/** Final, and no block can follow on it where its signers' extensions are not known. */
function stripped({ block, certificate }: SyncedEpoch): SyncedEpoch {
  return { block, certificate: certificateCodec.encode(plain(certificateCodec.decode(certificate))) }
}

/** As many signers as may be and are no quorum, or half of it. */
function fewer({ block, certificate }: SyncedEpoch, { validators }: MeshState, dice: Dice): SyncedEpoch {
  const whole = certificateCodec.decode(certificate)
  const share = dice.chance(0.5) ? 2 / 3 : 1 / 2
  let power = 0
  const signatures = whole.signatures.filter(
    ({ validator }) => (power += powerOf(validators, validator)) <= totalPower(validators) * share,
  )
  return { block, certificate: encode(writeCertificate({ ...whole, signatures })) }
}

/** Another block, which the liar alone has signed, often enough. */
function forged(keys: Keys, { identity }: MeshNode, epoch: SyncedEpoch, { mesh, validators }: MeshState): SyncedEpoch {
  const block = openBlock(epoch.block)
  if (typeof block === 'string') return epoch
  const { height, round } = certificateCodec.decode(epoch.certificate)
  const other = sealed(block, { header: { time: block.header.time + 1 } })
  const body = voteBody(mesh, { height, round, kind: 'precommit', value: other.value })
  const own = { validator: identity.key, signature: keys.sign(identity, DOMAIN.vote, body) }
  const certificate: CommitCertificate = { height, round, value: other.value, signatures: validators.map(() => own) }
  return { block: other.bytes, certificate: encode(writeCertificate(certificate)) }
}
