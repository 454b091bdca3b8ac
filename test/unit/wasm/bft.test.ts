import { expect } from 'chai'
import { type Bft, loadBft } from '../../../wasm/bft/load.ts'
import { extensionBytes, voteBytes } from '../../../wasm/bft/signed-bytes.ts'
import { BftMesh, hex, MESH } from './bft-mesh.ts'

for (const variant of [undefined, 'tokens'] as const) {
  describe(`wasm bft${variant === undefined ? '' : ` (${variant})`}`, () => {
    let bft: Bft
    before(async () => {
      bft = await loadBft(variant === undefined ? {} : { variant })
    })

    it('four validators decide twenty heights, each in round 0, with certificates that anybody can check', () => {
      for (let height = 1; height <= 20; height++) {
        const mesh = new BftMesh(bft, { height })
        mesh.start()
        const [first] = mesh.members
        for (const { decided, round } of mesh.members) {
          expect(round).to.equal(0)
          expect(hex(decided!.value)).to.equal(hex(first!.decided!.value))
          expect(decided!.signatures.length).to.be.at.least(3)
          for (const { validator, signature, extension } of decided!.signatures) {
            const vote = { kind: 'precommit', height, round: 0, value: decided!.value, validator } as const
            expect(bft.verify(validator, voteBytes(MESH, vote), signature)).to.equal(true)
            const signed = extensionBytes(MESH, vote, extension!.bytes)
            expect(bft.verify(validator, signed, extension!.signature)).to.equal(true)
          }
        }
        mesh.free()
      }
    })
  })
}
