import { expect } from 'chai'
import type { Operator } from '../../../consensus/epoch/types.ts'
import type { CellRecord } from '../../../node/network/cell-record.ts'
import { MeshRevocations, type MeshView } from '../../../node/network/membership-revocations.ts'
import { strictKeyFrom, type Certificate, type Role } from '../../../protocols/admission/index.ts'
import {
  codeThrownBy,
  certify,
  helloOf,
  identity,
  membership,
  MemoryStore,
  mesh,
  NOW,
  type Identity,
} from './fixtures.ts'

const LATER = NOW + 60_000

describe('admission: revocations of other cells, by the record of the mesh', () => {
  let store: MemoryStore
  beforeEach(() => {
    store = new MemoryStore()
  })

  async function scene() {
    const m = await mesh()
    const [second, third] = await Promise.all([identity(), identity()])
    const chain = [await certify(m, m.alpha, second, { name: 'second', rights: ['issue'] })]
    const revocations = await MeshRevocations.open(store)
    const beta = membership(m, m.beta, { revocations, now: () => LATER + 1 })
    const admit = (who: Identity, chain: Certificate[]) =>
      codeThrownBy(async () => {
        const admission = await beta.host.admit(who.peerId, helloOf(m, { chain }))
        beta.host.accepted(who.peerId, admission)
      })
    /** Issued by the second, for the third. */
    const friend = async (role: Role, issued: number) => [
      ...chain,
      await certify(m, second, third, { name: 'third', role, issued }),
    ]
    return { m, beta, second, third, chain, admit, friend }
  }

  const put = (subject: Identity, cell: string) => ({ subject: strictKeyFrom(subject.id), cell, height: 7 })
  const record = (revoked: MeshView['revoked'], members: Identity[] = [], cell = 'alpha'): MeshView => ({
    time: LATER,
    revoked,
    operators: [
      {
        name: cell,
        cell,
        weight: 1,
        members: members.map(({ id }) => strictKeyFrom(id)),
        validators: [],
      } as unknown as Operator,
    ],
  })

  it('a member that its cell put out is none any more, at once, and is told of once', async () => {
    const { beta, second, chain, admit } = await scene()
    expect(await admit(second, chain)).to.equal('none')
    expect(beta.member(second.id)?.name).to.equal('second')
    const told: object[] = []
    beta.addEventListener('revoked', ({ detail }) => told.push(detail))
    const revoked = [put(second, 'alpha')]
    beta.noteRecord(record(revoked))
    beta.noteRecord(record(revoked))
    beta.noteRecord(record([...revoked]))
    expect(told).to.deep.equal([{ peerId: second.id, cell: 'alpha', time: LATER }])
    expect(beta.member(second.id)).to.equal(undefined)
    expect(beta.members().map(({ peerId }) => peerId)).not.to.include(second.id)
    expect(await admit(second, chain)).to.equal('E_CERT_REVOKED')
  })

  it('a founder too', async () => {
    const { m, beta, admit } = await scene()
    beta.noteRecord(record([put(m.alpha, 'alpha')]))
    expect(beta.member(m.alpha.id)).to.equal(undefined)
    expect(await admit(m.alpha, [])).to.equal('E_CERT_REVOKED')
  })

  it('the word of another cell than its own counts for nothing', async () => {
    const { beta, second, chain, admit } = await scene()
    await admit(second, chain)
    const told: object[] = []
    beta.addEventListener('revoked', ({ detail }) => told.push(detail))
    beta.noteRecord(record([put(second, 'gamma')], [], 'gamma'))
    expect(beta.member(second.id)?.cell).to.equal('alpha')
    expect(await admit(second, chain)).to.equal('none')
    expect(told).to.deep.equal([])
  })

  it('holds over a restart, before the record is here again; and no longer than the record says so', async () => {
    const { beta, second } = await scene()
    beta.noteRecord(record([put(second, 'alpha')]))
    const restarted = await MeshRevocations.open(store)
    expect(restarted.isRevoked(second.id, 'alpha')).to.equal(true)
    await restarted.take(record([])).stored
    expect((await MeshRevocations.open(store)).isRevoked(second.id, 'alpha')).to.equal(false)
  })

  it('is written when it changes, and not with every epoch', async () => {
    const { beta, second } = await scene()
    for (let epoch = 0; epoch < 5; epoch++) beta.noteRecord(record([put(second, 'alpha')]))
    expect(store.writes).to.equal(1)
  })

  it('a full node that an issuer put out has certified counts only while it stands in the record of its cell', async () => {
    const { beta, second, third, admit, friend } = await scene()
    const backdated = await friend('full', NOW)
    beta.noteRecord(record([put(second, 'alpha')], [second]))
    expect(await admit(third, backdated)).to.equal('E_CERT_REVOKED')
    beta.noteRecord(record([put(second, 'alpha')], [third]))
    expect(await admit(third, backdated)).to.equal('none')
  })

  it('a light node that it has certified counts when the certificate is of before', async () => {
    const { beta, second, third, admit, friend } = await scene()
    beta.noteRecord(record([put(second, 'alpha')]))
    expect(await admit(third, await friend('light', NOW))).to.equal('none')
    expect(await admit(third, await friend('light', LATER))).to.equal('E_CERT_REVOKED')
  })

  it('but what the own cell committed counts, whatever the record says', async () => {
    const { m, second, third, friend } = await scene()
    const committed = await friend('full', LATER)
    const of = (isCommitted: boolean): CellRecord => ({
      isRevoked: () => false,
      certificateOf: () => undefined,
      isCommitted: () => isCommitted,
      issue: async (_ticket, certificate) => certificate,
    })
    for (const [isCommitted, code] of [
      [true, 'none'],
      [false, 'E_CERT_REVOKED'],
    ] as const) {
      const revocations = await MeshRevocations.open(new MemoryStore())
      const cell = Promise.resolve(of(isCommitted))
      const alpha = membership(m, m.alpha, { revocations, cell, now: () => LATER + 1 })
      await cell
      alpha.noteRecord(record([put(second, 'alpha')]))
      const hello = helloOf(m, { chain: committed })
      expect(await codeThrownBy(() => alpha.host.admit(third.peerId, hello))).to.equal(code)
    }
  })

  it('a record that cannot be written stops the node', async () => {
    const m = await mesh()
    const failed = Promise.withResolvers<unknown>()
    const broken = { get: async () => undefined, put: () => Promise.reject(new Error('full')) }
    const revocations = await MeshRevocations.open(broken)
    const beta = membership(m, m.beta, { revocations, fatal: failed.resolve })
    beta.noteRecord(record([put(m.alpha, 'alpha')]))
    expect(String(await failed.promise)).to.contain('full')
  })
})
