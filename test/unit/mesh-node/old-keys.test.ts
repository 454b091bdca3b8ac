import { expect } from 'chai'
import { certificateCodec, type MeshState } from '../../../consensus/epoch/index.ts'
import { EpochIntake } from '../../../node/mesh/intake.ts'
import { verifyAside } from '../../../protocols/shared/signature.ts'
import type { SyncEpoch } from '../../../protocols/sync/index.ts'
import { keysOf, TestMesh, type TestNode } from '../epoch/mesh.ts'

describe('mesh: a certificate made by keys of an old set', () => {
  let mesh: TestMesh
  let old: TestNode[]
  /** Follows, and has all epochs but the last. */
  let intake: EpochIntake
  let state: MeshState

  const epoch = (bytes: Uint8Array, certificate: Parameters<typeof certificateCodec.encode>[0]): SyncEpoch => {
    return { height: certificate.height, block: bytes, certificate: certificateCodec.encode(certificate) }
  }

  before(async () => {
    mesh = new TestMesh({ alpha: 4 })
    old = mesh.validators
    const states = [mesh.state]
    const advance = mesh.advance.bind(mesh)
    mesh.advance = (step) => {
      const block = advance(step)
      states.push(mesh.state)
      return block
    }
    for (const name of ['beta', 'gamma', 'delta', 'epsilon']) {
      const members = keysOf(mesh.newCell(name, 1))
      mesh.carry({ type: 'operator-set', name, cell: name, weight: 1, members })
      mesh.advanceTo(mesh.state.height + 2)
    }
    mesh.carry({ type: 'operator-remove', cell: 'alpha' })
    mesh.advanceTo(mesh.state.height + 3)
    state = states[0]!
    const commit = async (): Promise<void> => {
      state = states[state.height + 1]!
    }
    intake = new EpochIntake({ state: () => state, verify: verifyAside, builds: false, now: () => 0, commit })
    for (const { bytes, certificate } of mesh.finals.slice(0, -1)) {
      const next = epoch(bytes, certificate)
      expect(await intake.verify(next)).to.equal(undefined)
      await intake.take(next)
      await intake.settled()
    }
  })

  it('though it is of the whole old set, is refused by who follows the chain', async () => {
    const { bytes, block } = mesh.finals.at(-1)!
    expect(mesh.validators.some((node) => old.includes(node))).to.equal(false)
    mesh.state = state
    const forged = mesh.certify(block.value, { signers: old })
    expect(await intake.verify(epoch(bytes, forged))).to.match(/^E_CERTIFICATE_/)
    const mixed = mesh.certify(block.value, { signers: [...old, mesh.validators[0]!] })
    expect(await intake.verify(epoch(bytes, mixed))).to.match(/^E_CERTIFICATE_/)
  })

  it('leaves the follower where it was: the true one is taken', async () => {
    const { bytes, certificate } = mesh.finals.at(-1)!
    expect(await intake.verify(epoch(bytes, certificate))).to.equal(undefined)
  })
})
