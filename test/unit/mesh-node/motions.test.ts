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
})
