import { expect } from 'chai'
import { generateKeyPair } from '@libp2p/crypto/keys'
import type { MeshState, Motion } from '../../../consensus/epoch/index.ts'
import { changeText, motionRow, validatorsDocument, type Naming } from '../../../node/mesh/documents.ts'
import { peerIdOf } from '../../../node/mesh/named.ts'
import { missingQuorum } from '../../../node/mesh/summary.ts'
import { MeshTally } from '../../../node/mesh/tally.ts'
import { valueOf } from './mesh-directory.ts'

describe('documents of the record', () => {
  let keys: Uint8Array[]
  let state: MeshState
  let away: Set<string>
  let naming: Naming

  before(async () => {
    const all = await Promise.all([0, 1, 2, 3].map(async () => (await generateKeyPair('Ed25519')).publicKey.raw))
    keys = all.toSorted(Buffer.compare)
  })
  beforeEach(() => {
    away = new Set()
    const validators = keys.map((key) => ({ key, power: 100 }))
    state = {
      height: 41,
      operators: keys.map((key, at) => ({
        name: `operator ${at}`,
        cell: `cell-${at}`,
        weight: 3,
        members: [key],
        validators: [key],
        attested: at === 0 ? { epoch: 40, index: 9, root: valueOf('root'), t: [2 ** 29, 0] } : undefined,
      })),
      validators,
      nextValidators: validators.slice(1),
      policy: {},
      out: [],
      revoked: [{ subject: keys[3]!, cell: 'cell-3', height: 12 }],
      motions: [],
    } as unknown as MeshState
    naming = {
      isSelf: (key) => key === keys[0],
      isConnected: (key) => !away.has(peerIdOf(key)),
      named: (key) => ({ peerId: peerIdOf(key), name: `node ${keys.indexOf(key)}` }),
      cellOf: () => '',
    }
  })

  it('tell who decides, with which power, who is connected, and who comes next', () => {
    away.add(peerIdOf(keys[2]!))
    const { operators, total, toleratedFaults, next, revoked } = validatorsDocument(state, naming)
    expect(
      operators.map(({ members: [node] }) => [node!.name, node!.power, node!.isSelf, node!.isConnected]),
    ).to.deep.equal([
      ['node 0', 100, true, true],
      ['node 1', 100, false, true],
      ['node 2', 100, false, false],
      ['node 3', 100, false, true],
    ])
    expect([total, toleratedFaults]).to.deep.equal([400, 1])
    expect([next.height, next.validators.length]).to.deep.equal([43, 3])
    expect(operators.map(({ attested }) => attested?.t ?? null)).to.deep.equal([[0.5, 0], null, null, null])
    expect(revoked).to.deep.equal([{ peerId: peerIdOf(keys[3]!), cell: 'cell-3', height: 12 }])
  })

  it('tell a motion in words, with the parts of the power for and against it', () => {
    const motion: Motion = {
      id: new Uint8Array(32).fill(0xab),
      change: { type: 'operator-set', name: 'Five', cell: 'five', weight: 2, members: [keys[0]!] },
      by: keys[1]!,
      opened: 30,
      expires: 1000,
      effectiveAt: 0,
      yes: [keys[0]!, keys[1]!],
      no: [keys[2]!],
      carried: undefined,
    }
    const row = motionRow(motion, state, naming)
    expect(row).to.include({ id: 'ab'.repeat(32), by: 'node 1', state: 'open', holdsFrom: null, yes: 0.5, no: 0.25 })
    expect(row.text).to.equal('operator Five of cell five weighs 2, with 1 first member')
    expect(motionRow({ ...motion, carried: 35 }, state, naming)).to.include({ state: 'carried', holdsFrom: 37 })
    expect(motionRow({ ...motion, carried: 35, effectiveAt: 90 }, state, naming).holdsFrom).to.equal(90)
    expect(changeText({ type: 'operator-remove', cell: 'five' })).to.contain('cell five')
    expect(changeText({ type: 'policy-set', policy: { epochMs: 500 } })).to.equal('policy: epochMs 500')
  })

  it('say that there is no quorum exactly when a third of the power or more is away', () => {
    expect(missingQuorum(state, naming)).to.equal(undefined)
    away.add(peerIdOf(keys[1]!))
    expect(missingQuorum(state, naming)).to.equal(undefined)
    away.add(peerIdOf(keys[2]!))
    const problem = missingQuorum(state, naming)!
    expect([problem.code, problem.message]).to.deep.equal([
      'E_MESH_NO_QUORUM',
      'no epoch becomes final: node 1, node 2 are not connected',
    ])
  })

  it('give percentiles of decisions, and none before the first', () => {
    const tally = new MeshTally()
    expect(tally.finalizedMs).to.equal(null)
    for (let ms = 1000; ms >= 1; ms--) tally.decided(ms)
    expect(tally.finalizedMs).to.deep.equal({ p50: 129, p99: 254 })
  })
})
