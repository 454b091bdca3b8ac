import { attestationCodec, signedAttestationCodec } from '../../../consensus/epoch/attestation-codec.ts'
import { LIST } from '../../../consensus/epoch/block-codec.ts'
import { commandCodec, signedCommandCodec } from '../../../consensus/epoch/command-codec.ts'
import {
  blockCodec,
  certificateCodec,
  evidenceCodec,
  extensionCodec,
  finalCodec,
  headerCodec,
  stateCodec,
  validatorsCodec,
} from '../../../consensus/epoch/index.ts'
import type { Codec } from '../../../protocols/shared/codec.ts'
import { TestMesh } from './mesh.ts'

export interface Sample {
  codec: Codec<never>
  value: unknown
}

/** A value of every codec of the record, by what it is. */
export function epochSamples(): Record<string, Sample> {
  const mesh = new TestMesh({ a: 2, b: 1, c: 1 })
  mesh.advance({ holds: () => [], pending: { governance: [move()] } })
  const reports = mesh.nodes.map((node) => mesh.report(node, [2 ** 29, -5]))
  mesh.advance({ holds: () => reports })
  const attestation = mesh.attestation('a', { t: [1, -2], revoked: [new Uint8Array(32).fill(3)] })
  const signed = mesh.attest(attestation, mesh.cell('a'))
  const evidence = mesh.doubleVote(mesh.cell('b')[0]!, 1)
  const pending = { attestations: [signed], evidence: [evidenceCodec.encode(evidence)] }
  const block = mesh.advance({ pending })
  const { certificate } = mesh.finals.at(-1)!
  const [body] = signedCommandCodec.decode(move())
  const { value: _, ...whole } = block
  const of = <T>(codec: Codec<T>, value: T): Sample => ({ codec: codec as Codec<never>, value })

  function move(): Uint8Array {
    return mesh.move(mesh.cell('a')[0]!, { type: 'policy-set', policy: { maxValidators: 3 } })
  }
  return {
    header: of(headerCodec, block.header),
    state: of(stateCodec, mesh.state),
    set: of(validatorsCodec, mesh.state.validators),
    certificate: of(certificateCodec, certificate),
    extension: of(extensionCodec, extensionCodec.decode(certificate.signatures[0]!.extension!.bytes)),
    command: of(commandCodec, commandCodec.decode(body)),
    'signed command': of(signedCommandCodec, signedCommandCodec.decode(move())),
    attestation: of(attestationCodec, attestation),
    'signed attestation': of(signedAttestationCodec, signedAttestationCodec.decode(signed)),
    evidence: of(evidenceCodec, evidence),
    reports: of(LIST.reports, block.reports),
    block: of(blockCodec, whole),
    final: of(finalCodec, { block: whole, certificate }),
  }
}
