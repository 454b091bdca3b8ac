import { expect } from 'chai'
import type { PeerRow, StatusDocument } from '../../node/operations.ts'
import type { ValidatorsDocument } from '../../node/operations-mesh.ts'
import { Operators } from '../helpers/operators.ts'
import { document, eventually } from '../helpers/processes.ts'

const EPOCH_MS = 500

describe('what cells of real nodes say of themselves to the mesh', function () {
  this.timeout(180_000)
  let mesh: Operators
  beforeEach(async () => {
    mesh = await Operators.open()
  })
  afterEach(() => mesh.close())

  const asked = <T>(name: string, route: string) => document<T>(mesh.stage.path(name), route)
  const recorded = async (name: string, cell: string) => {
    const record = await asked<ValidatorsDocument>(name, 'validators')
    return record?.operators.find((operator) => operator.cell === cell)
  }
  const isConnected = async (name: string, to: string) => {
    const found = await asked<{ peers: PeerRow[] }>(name, 'peers')
    return found?.peers.some((peer) => peer.peerId === to && peer.connected)
  }
  const peerIdOf = async (name: string) => (await asked<{ peerId: string }>(name, 'id'))!.peerId
  const grow = async (names: readonly string[]) => {
    for (const name of names) {
      await mesh.join(name, 'alpha', 'full')
      await mesh.run(name)
    }
  }
  const hasMembers = (name: string, count: number, validators = count) =>
    eventually(`${name} has ${count} members and ${validators} validators of alpha on record`, async () => {
      const members = (await recorded(name, 'alpha'))?.members ?? []
      return members.length === count && members.filter(({ isValidator }) => isValidator).length === validators
    })

  it('a cell of one grows to three, and the record follows; T_cell and root are all that others see', async () => {
    await mesh.found(['alpha', 'beta'], EPOCH_MS)
    await Promise.all(['alpha', 'beta'].map((name) => mesh.run(name)))
    await eventually('both are attested', async () => {
      const seen = await Promise.all(['alpha', 'beta'].map((cell) => recorded('beta', cell)))
      return seen.every((operator) => operator?.attested?.t != null)
    })
    await grow(['second', 'third'])
    await hasMembers('beta', 3)
    const attested = (await recorded('beta', 'alpha'))!.attested!
    expect(attested.root).to.match(/^bafyrei/)
    const { height } = (await mesh.chain('beta'))!
    await mesh.reach(height + 5, ['alpha', 'beta', 'second', 'third'])
  })

  it('who is removed in one cell is hung up on and refused by the nodes of another within two epochs, whatever they are', async () => {
    const roles = ['light', 'witness', 'relay']
    const others = ['beta', ...roles]
    await mesh.found(['alpha', 'beta'], EPOCH_MS)
    await Promise.all(['alpha', 'beta'].map((name) => mesh.run(name)))
    for (const role of roles) await mesh.join(role, 'beta', role)
    await Promise.all(roles.map((name) => mesh.run(name)))
    await grow(['second', 'third'])
    await hasMembers('beta', 3)
    const removed = await peerIdOf('third')
    for (const name of others) await eventually(`${name} is connected to it`, () => isConnected(name, removed))
    await mesh.stage.did('alpha', ['members', 'rm', 'third'])
    const acknowledged = (await mesh.chain('alpha'))!.height
    for (const name of others) {
      await eventually(`${name} hangs up`, async () => (await isConnected(name, removed)) === false)
      const { revoked } = (await asked<ValidatorsDocument>(name, 'validators'))!
      expect(revoked.map(({ peerId, cell }) => [peerId, cell])).to.deep.equal([[removed, 'alpha']])
      expect(revoked[0]!.height).to.be.at.most(acknowledged + 2)
    }
    await hasMembers('beta', 2)
    await eventually('it is told why', async () =>
      (await asked<StatusDocument>('third', 'status'))?.warnings.some((text) => text.includes('E_CERT_REVOKED')),
    )
    // From then on who was hung up on comes back to nobody, though it still tries, nor to one that has started again.
    await mesh.end('beta')
    await mesh.run('beta')
    const { height } = (await mesh.chain('beta'))!
    await mesh.reach(height + 3, ['alpha', 'second', ...others])
    for (const name of others) expect(await isConnected(name, removed), name).to.equal(false)
  })

  for (const how of ['leaves', 'is removed'])
    it(`a mesh of one cell of two goes on when one of them ${how}`, async () => {
      await mesh.found(['alpha'], EPOCH_MS)
      await mesh.run('alpha')
      await grow(['second'])
      // An operator that is alone votes by one of two or three.
      await hasMembers('alpha', 2, 1)
      if (how === 'leaves') await mesh.stage.did('second', ['leave', '--yes'])
      else await mesh.stage.did('alpha', ['members', 'rm', 'second'])
      await mesh.end('second')
      await hasMembers('alpha', 1)
      const { height } = (await mesh.chain('alpha'))!
      await mesh.reach(height + 5, ['alpha'])
    })
})
