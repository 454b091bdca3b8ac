import { expect } from 'chai'
import { readMembership } from '../../node/network/membership-files.ts'
import { ADMISSION_VERSION, issueCertificate, meshIdOf, type Certificate } from '../../protocols/admission/index.ts'
import { resolvePaths } from '../../node/config/paths.ts'
import { loadNodeKey } from '../../node/storage/key-file.ts'
import { Guest } from '../helpers/cell-guest.ts'
import { RealCell } from '../helpers/cell.ts'
import { eventually } from '../helpers/processes.ts'
import type { PeerRow, StatusDocument } from '../../node/operations.ts'

const LONGEST_HANG_UP_MS = 1_000
const DAY_MS = 86_400_000

describe('who comes in, by the agreement of a cell of three real nodes', function () {
  this.timeout(60_000)
  let cell: RealCell
  beforeEach(async () => {
    cell = await RealCell.of(3, '--rights', 'issue')
  })
  afterEach(() => cell.close())

  const isConnected = async (name: string, peerId: string) => {
    const { peers } = await cell.get<{ peers: PeerRow[] }>(name, 'peers')
    return peers.some((peer) => peer.peerId === peerId && peer.connected)
  }
  const light = async (issuer: string) => (await cell.stage.did(issuer, ['invite', '--role', 'light', '-q'])).trim()

  it('one certificate for a ticket that two keys spend at two nodes at once, one name for two tickets', async () => {
    const [one, two, three, four] = await Promise.all([Guest.make(), Guest.make(), Guest.make(), Guest.make()])
    const ticket = await light('a')
    const spent = await Promise.all([
      one.redeem(cell.address('a'), ticket, 'one'),
      two.redeem(cell.address('b'), ticket, 'two'),
    ])
    expect(spent.filter((answer) => Array.isArray(answer))).to.have.lengthOf(1)
    expect(spent).to.include('E_TICKET_USED')
    const isFirst = Array.isArray(spent[0])
    const again = await (isFirst
      ? one.redeem(cell.address('b'), ticket, 'one')
      : two.redeem(cell.address('a'), ticket, 'two'))
    const last = (chain: string | Certificate[] | undefined) => (chain as Certificate[]).at(-1)
    expect(last(again), 'the same key at the other node').to.deep.equal(last(isFirst ? spent[0] : spent[1]))
    const [ofA, ofB] = [await light('a'), await light('b')]
    const named = await Promise.all([
      three.redeem(cell.address('a'), ofA, 'Same'),
      four.redeem(cell.address('b'), ofB, 'same'),
    ])
    expect(named.filter((answer) => Array.isArray(answer))).to.have.lengthOf(1)
    expect(named).to.include('E_NAME_TAKEN')
  })

  it('another full node of the cell takes a ticket whose issuer is away', async () => {
    const ticket = await light('a')
    await cell.end('a')
    const join = ['join', ticket, '--name', 'guest', '--profile', 'test']
    const refused = await cell.stage.kairos('guest', join)
    expect([
      refused.code,
      refused.stderr.includes('E_ISSUER_UNREACHABLE'),
      refused.stderr.includes('--at'),
    ]).to.deep.equal([2, true, true])
    await cell.stage.did('guest', [...join, '--at', cell.address('a'), cell.address('b')])
    await cell.stage.run('guest')
    const { peerId: guest } = await cell.stage.json<StatusDocument>('guest', ['status'])
    await eventually('it comes in by the address that it was given', () => isConnected('b', guest))
  })

  it('a removed member is hung up on in the whole cell, refused by both sides’ word, and so is its friend', async () => {
    const removed = cell.peerId('c')
    await cell.post('a', 'members/rm', { peer: removed, reason: 'test' })
    const began = performance.now()
    await eventually('a and b hang up on c', async () => {
      return !(await isConnected('a', removed)) && !(await isConnected('b', removed))
    })
    expect(performance.now() - began).to.be.lessThan(LONGEST_HANG_UP_MS)
    await eventually('c is told why', async () =>
      (await cell.get<StatusDocument>('c', 'status')).warnings.some((text) => text.includes('E_CERT_REVOKED')),
    )
    await eventually('a or b counts the refusal', async () => {
      const metrics = await Promise.all(['a', 'b'].map((name) => cell.text(name, 'metrics')))
      return metrics.some((text) => /peers_refused_total\{[^}]*E_CERT_REVOKED[^}]*local[^}]*\} [1-9]/.test(text))
    })
    const code = await friendOfRemoved()
    expect(code).to.equal('E_CERT_REVOKED')
    await cell.end('a')
    await cell.run('a')
    expect(await friendOfRemoved(), 'after a restart').to.equal('E_CERT_REVOKED')
    expect(await isConnected('a', removed)).to.equal(false)
  })

  /** With a certificate that the removed member dates back to when it was a member. */
  const friendOfRemoved = async () => {
    const paths = resolvePaths({ path: cell.stage.path('c'), env: {} })
    const { genesis, chain } = (await readMembership(paths))!
    const key = await loadNodeKey(paths.key)
    const friend = await Guest.make()
    const own = chain.at(-1)!
    const certificate = await issueCertificate(key, {
      mesh: meshIdOf(genesis),
      subject: friend.id,
      name: 'friend',
      cell: own.cell,
      role: 'light',
      rights: [],
      issued: Math.max(own.issued, Date.now() - DAY_MS),
      issuer: cell.peerId('c'),
    })
    return friend.knock(cell.address('a'), {
      hello: () => ({
        mesh: meshIdOf(genesis),
        version: ADMISSION_VERSION,
        name: 'friend',
        chain: [...chain, certificate],
      }),
      admit: async (remote) => ({
        member: { peerId: remote.toString(), name: 'x', cell: own.cell, role: 'full', rights: [] },
      }),
      accepted: () => undefined,
      refused: () => undefined,
    })
  }
})
