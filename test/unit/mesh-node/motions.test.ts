import { generateKeyPair } from '@libp2p/crypto/keys'
import { expect } from 'chai'
import { Motions, type MotionsInit } from '../../../node/mesh/motions.ts'
import { MESH_STATE, motionOf, peerIdOf } from '../../helpers/fake-mesh.ts'

describe('motions', () => {
  const listed = (height: number) => {
    const motions = [motionOf(1), motionOf(2, { carried: 9 }), motionOf(3, { expires: 10 })]
    const record = { state: { ...MESH_STATE, height, motions } }
    const naming = { named: (key: Uint8Array) => ({ peerId: peerIdOf(key), name: '' }) }
    const rows = new Motions({ record, naming } as unknown as MotionsInit).list()
    return rows.map(({ id }) => Number(`0x${id.slice(0, 2)}`))
  }

  it('are listed until they hold or have lapsed, though the state remembers them for a while', () => {
    expect([9, 10, 11].map(listed)).to.deep.equal([[1, 2, 3], [1, 2], [1]])
  })

  it('refuse a vote that came too late for an epoch as soon as that is known', async () => {
    const privateKey = await generateKeyPair('Ed25519')
    const validators = [{ key: privateKey.publicKey.raw, power: 1 }]
    const told: ((final: object, state: object) => void)[] = []
    const record = {
      state: { ...MESH_STATE, height: 9, validators, motions: [motionOf(1)] },
      application: { pending: { putGovernance: () => undefined } },
      onFinal: (listener: (typeof told)[number]) => (told.push(listener), () => told.splice(0)),
    }
    const published = Promise.withResolvers<void>()
    const motions = new Motions({ privateKey, record, publish: published.resolve } as unknown as MotionsInit)
    const vote = motions.vote('01'.repeat(32), true).catch((error: Error) => error)
    await published.promise
    const without = { block: { governance: [] } }
    told[0]!(without, { ...record.state, height: 10 })
    told[0]!(without, { ...record.state, height: 11, motions: [motionOf(1, { expires: 11 })] })
    expect(await vote).to.include({ code: 'E_MOTION_REFUSED' })
    expect(told).to.deep.equal([])
  })
})
