import { generateKeyPair } from '@libp2p/crypto/keys'
import type { PeerId } from '@libp2p/interface'
import { peerIdFromPrivateKey } from '@libp2p/peer-id'
import { expect } from 'chai'
import { certificateCodec, plain, stateCodec } from '../../../consensus/epoch/index.ts'
import { fetchCheckpoint, type FetchCheckpointInit } from '../../../node/mesh/checkpoint.ts'
import type { SyncEpoch } from '../../../protocols/sync/index.ts'
import { TestMesh } from '../epoch/mesh.ts'

const HEIGHT = 3

interface Served {
  epochs: SyncEpoch[]
  state: Uint8Array
}

describe('mesh: a record that begins at a checkpoint', () => {
  let mesh: TestMesh
  let served: Served
  let liar: PeerId
  let honest: PeerId
  before(async () => {
    mesh = new TestMesh({ a: 1, b: 1, c: 1, d: 1 })
    mesh.advanceTo(HEIGHT)
    const state = stateCodec.encode(mesh.state)
    mesh.advanceTo(HEIGHT + 1)
    served = { epochs: [HEIGHT, HEIGHT + 1].map(epochAt), state }
    ;[liar, honest] = await Promise.all([peer(), peer()])
  })

  function epochAt(height: number): SyncEpoch {
    const { bytes, certificate } = mesh.finals[height - 1]!
    return { height, block: bytes, certificate: certificateCodec.encode(certificate) }
  }

  /** @param lie - what the first peer that is asked hands out in place of what there is */
  async function begin(lie: Partial<Served> = {}) {
    const problems: string[] = []
    const of = (peer: PeerId): Served => (peer === liar ? { ...served, ...lie } : served)
    const client: FetchCheckpointInit['client'] = {
      async *range(peer) {
        yield* of(peer).epochs
      },
      state: async (peer) => of(peer).state,
    }
    const beginning = await fetchCheckpoint({
      checkpoint: { height: HEIGHT, cid: mesh.finals[HEIGHT - 1]!.block.value },
      client,
      peers: () => [liar, honest],
      verify: mesh.ports.verify,
      onProblem: ({ message }) => problems.push(message),
      signal: AbortSignal.timeout(10_000),
    })
    return { beginning: beginning!, problems }
  }

  const certified = (certificate: Uint8Array): Partial<Served> => ({
    epochs: [{ ...served.epochs[0]!, certificate }, served.epochs[1]!],
  })

  it('has the epoch, the state after it, and of its certificate what was checked', async () => {
    const { beginning, problems } = await begin()
    expect(problems).to.deep.equal([])
    const { block, certificate } = mesh.finals[HEIGHT - 1]!
    expect(beginning.epoch).to.deep.equal({
      value: block.value,
      block: served.epochs[0]!.block,
      certificate: certificateCodec.encode(plain(certificate)),
    })
    expect(stateCodec.encode(beginning.state)).to.deep.equal(served.state)
  })

  it('takes no certificate that is none: it would be kept, served, and stop this node when it is read', async () => {
    const { certificate } = mesh.finals[HEIGHT - 1]!
    const [first, ...others] = certificate.signatures
    const forged = { ...first!, signature: first!.signature.with(3, first!.signature[3]! ^ 1) }
    const lies = {
      '': new Uint8Array([1, 2, 3]),
      E_CERTIFICATE_VALUE: served.epochs[1]!.certificate,
      E_CERTIFICATE_SIGNATURE: certificateCodec.encode({ ...certificate, signatures: [forged, ...others] }),
      E_CERTIFICATE_POWER: certificateCodec.encode({ ...certificate, signatures: [first!] }),
    }
    for (const [why, lie] of Object.entries(lies)) {
      const { beginning, problems } = await begin(certified(lie))
      expect(problems, why).to.have.length(1)
      expect(problems[0]).to.contain(`the record cannot begin at epoch ${HEIGHT} yet`).and.to.contain(why)
      expect(beginning.epoch.certificate).to.deep.equal(certificateCodec.encode(plain(certificate)))
    }
  })

  it('takes no other state or epoch, nor one that nothing follows on', async () => {
    const [at, next] = served.epochs as [SyncEpoch, SyncEpoch]
    const before = epochAt(HEIGHT - 1)
    const lies: Partial<Served>[] = [
      { state: stateCodec.encode(mesh.state) },
      { state: new Uint8Array(9) },
      { epochs: [before, at] },
      { epochs: [at] },
      { epochs: [at, { ...next, certificate: at.certificate }] },
    ]
    for (const lie of lies) {
      const { beginning, problems } = await begin(lie)
      expect(problems).to.have.length(1)
      expect(beginning.epoch.value).to.deep.equal(mesh.finals[HEIGHT - 1]!.block.value)
    }
  })
})

async function peer(): Promise<PeerId> {
  return peerIdFromPrivateKey(await generateKeyPair('Ed25519'))
}
