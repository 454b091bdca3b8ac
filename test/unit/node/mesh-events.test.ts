import { expect } from 'chai'
import { CID } from 'multiformats/cid'
import { publishMeshEvents } from '../../../node/mesh-events.ts'
import { cidBytes, fakeMesh, MESH_STATE, motionOf } from '../../helpers/fake-mesh.ts'
import { EPOCH } from '../../helpers/fake-record.ts'

const idOf = (fill: number) => Buffer.alloc(32, fill).toString('hex')

describe('events of the record', () => {
  function watched(changes: Parameters<typeof fakeMesh>[0] = {}) {
    const mesh = fakeMesh(changes)
    const told: [type: string, data: Record<string, unknown>][] = []
    publishMeshEvents(mesh, { publish: (type, data) => void told.push([type, data]) })
    return { mesh, told }
  }

  it('tell of each epoch with its T_global and its decision', () => {
    const { mesh, told } = watched()
    const head = cidBytes(8)
    mesh.finish({ ...MESH_STATE, height: 8, head }, [], 2)
    const cid = CID.decode(head).toString()
    const epoch = { height: 8, cid, time: MESH_STATE.time, round: 2, reports: 2, t: [0.5, 0], collapsed: false }
    expect(told).to.deep.equal([['epoch', epoch]])
  })

  it('tell when a motion is opened and carried, when it holds, and when it is closed without', () => {
    const { mesh, told } = watched()
    const at = (height: number, ...motions: ReturnType<typeof motionOf>[]) =>
      mesh.finish({ ...MESH_STATE, height, motions })
    at(8, motionOf(1), motionOf(2))
    at(9, motionOf(1, { carried: 9 }), motionOf(2))
    at(11, motionOf(2))
    at(1008)
    expect(told.filter(([type]) => type === 'motion').map(([, data]) => data)).to.deep.equal([
      { height: 8, change: 'opened', id: idOf(1) },
      { height: 8, change: 'opened', id: idOf(2) },
      { height: 9, change: 'carried', id: idOf(1) },
      { height: 11, change: 'holds', id: idOf(1) },
      { height: 1008, change: 'closed', id: idOf(2) },
    ])
  })

  it('tell that a motion holds, or lapses, in that very epoch, though the state remembers it for a while', () => {
    const { mesh, told } = watched()
    const motions = [motionOf(1, { carried: 9 }), motionOf(2, { expires: 10 })]
    for (const height of [9, 10, 11, 12, 13]) mesh.finish({ ...MESH_STATE, height, motions })
    mesh.finish({ ...MESH_STATE, height: 14, motions: [] })
    const changes = told.filter(([type]) => type === 'motion').map(([, { height, change, id }]) => [height, change, id])
    expect(changes.filter(([, change]) => change === 'holds' || change === 'closed')).to.deep.equal([
      [10, 'closed', idOf(2)],
      [11, 'holds', idOf(1)],
    ])
  })

  it('name who contradicted itself, once that is in an epoch', async () => {
    const { mesh, told } = watched()
    mesh.finish({ ...MESH_STATE, height: 8 }, [new Uint8Array(1)])
    await Promise.resolve().then(() => undefined)
    const [row] = EPOCH.evidenceRows
    expect(told.at(-1)).to.deep.equal(['equivocation', { peerId: row?.key, kind: 'votes', height: 1200, epoch: 8 }])
  })

  it('go on when an epoch with evidence cannot be read again', async () => {
    const { mesh, told } = watched({ epoch: () => Promise.reject(new Error('pruned')) })
    mesh.finish({ ...MESH_STATE, height: 8 }, [new Uint8Array(1)])
    await Promise.resolve().then(() => undefined)
    mesh.finish({ ...MESH_STATE, height: 9 })
    expect(told.map(([type]) => type)).to.deep.equal(['epoch', 'epoch'])
  })
})
