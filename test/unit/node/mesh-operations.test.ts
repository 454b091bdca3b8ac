import { expect } from 'chai'
import { createMeshOperations, recordReasons } from '../../../node/mesh-operations.ts'
import type { Parts } from '../../../node/parts.ts'
import { CodedError } from '../../../protocols/shared/errors.ts'
import { ALPHA_2, fakeParts } from '../../helpers/fake-cell.ts'
import { fakeMesh, KEY_1, KEY_2, MOTION_ROW, peerIdOf, type FakeMesh } from '../../helpers/fake-mesh.ts'
import { CHAIN, MOTION } from '../../helpers/fake-record.ts'

const refusal = (promise: Promise<unknown>) =>
  promise.then(
    () => expect.fail('it should have been refused'),
    (error: unknown) => error as CodedError,
  )
const partsOf = (mesh: FakeMesh) => ({ ...fakeParts(undefined).parts, mesh }) as unknown as Parts

describe("the mesh's record as the faces see it", () => {
  const operationsOf = (mesh: FakeMesh) => createMeshOperations(partsOf(mesh))

  it('has no keys as bytes: the members of a new operator are peer ids', async () => {
    const [motion] = await operationsOf(fakeMesh()).motions()
    expect(motion).to.deep.equal({ ...MOTION_ROW, change: { ...MOTION_ROW.change, members: [ALPHA_2] } })
    expect(JSON.stringify(motion)).to.contain(ALPHA_2)
  })

  it('takes the members of a new operator by peer id, known here or not, and by name, in the order of their keys', async () => {
    const mesh = fakeMesh()
    const unknown = peerIdOf(KEY_1)
    const change = { type: 'operator-set', name: 'Delta', cell: 'delta', weight: 3 } as const
    await operationsOf(mesh).move({ ...change, members: [unknown, 'alpha-2'] }, { effectiveAt: 90 })
    const members = [KEY_1, KEY_2].sort(Buffer.compare)
    expect(mesh.calls).to.deep.equal([['move', { ...change, members }, { effectiveAt: 90 }]])
  })

  it('passes on a change without members as it is', async () => {
    const mesh = fakeMesh()
    await operationsOf(mesh).move({ type: 'operator-remove', cell: 'delta' }, {})
    expect(mesh.calls).to.deep.equal([['move', { type: 'operator-remove', cell: 'delta' }, {}]])
  })

  it('refuses a member that is neither a peer id nor a known name, saying where both are', async () => {
    const change = { type: 'operator-set', name: 'Delta', cell: 'delta', weight: 3 } as const
    const error = await refusal(operationsOf(fakeMesh()).move({ ...change, members: ['omega-9'] }, {}))
    expect(error.code).to.equal('E_PEER_ID_INVALID')
    expect(error.hint).to.contain('kairos peers').and.contain('kairos id')
  })

  it('votes on the one motion whose id begins so', async () => {
    const mesh = fakeMesh()
    await operationsOf(mesh).vote('7f3', false)
    expect(mesh.calls).to.deep.equal([['vote', MOTION, false]])
  })

  it('votes on none where no id begins so, or more than one', async () => {
    const mesh = fakeMesh()
    mesh.rows = [MOTION_ROW, { ...MOTION_ROW, id: MOTION.replace('7f3a', '7f3b') }]
    expect((await refusal(operationsOf(mesh).vote('aa', true))).code).to.equal('E_MOTION_UNKNOWN')
    const two = await refusal(operationsOf(mesh).vote('7f3', true))
    expect([two.code, two.hint]).to.deep.equal(['E_INVALID_INPUT', 'give more of the id'])
    expect(mesh.calls).to.deep.equal([])
  })

  it('makes a node not ready by its problem or when it is far behind, and by nothing else', () => {
    const reasons = (changes: Partial<typeof CHAIN>) =>
      recordReasons({ mesh: fakeMesh({ chain: { ...CHAIN, ...changes } }) })
    const problem = { code: 'E_NO_QUORUM', message: 'validators are missing' }
    expect(reasons({ problem })).to.deep.equal(["the mesh's record: validators are missing (E_NO_QUORUM)"])
    expect(reasons({ behind: 500 })).to.deep.equal(["the mesh's record here is 500 epochs behind"])
    expect(reasons({ behind: 3 })).to.deep.equal([])
    expect(reasons({ height: 0, time: null, t: null, magnitudeSquared: null, collapsed: null })).to.deep.equal([])
  })
})
