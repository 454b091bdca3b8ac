import { expect } from 'chai'
import { checkMesh } from '../../../node/doctor-mesh.ts'
import type { Parts } from '../../../node/parts.ts'
import type { ChainSummary, ValidatorsDocument } from '../../../node/operations.ts'
import { ALPHA_1, ALPHA_2, ALPHA_3, fakeParts } from '../../helpers/fake-cell.ts'
import { fakeMesh, MESH_STATE } from '../../helpers/fake-mesh.ts'
import { CHAIN, VALIDATORS } from '../../helpers/fake-record.ts'

const NOW = Date.parse('2026-01-01T00:00:01.000Z')
const DAY_MS = 86_400_000
/** Of the genesis. */
const CREATED = NOW - DAY_MS
const WELL: ChainSummary = { ...CHAIN, counters: { ...CHAIN.counters, evidence: 0 } }

/** Three validators, the first this node; `away` are not connected. */
function set(...away: string[]): ValidatorsDocument {
  const member = (peerId: string, name: string) => ({
    peerId,
    name,
    isValidator: true,
    power: 2,
    isSelf: peerId === ALPHA_1,
    isConnected: peerId !== ALPHA_1 && !away.includes(name),
  })
  const members = [member(ALPHA_1, 'alpha-1'), member(ALPHA_2, 'alpha-2'), member(ALPHA_3, 'alpha-3')]
  return { ...VALIDATORS, operators: [{ ...VALIDATORS.operators[0]!, members }] }
}

describe("doctor on the mesh's record", () => {
  const checked = (chain: Partial<ChainSummary> = {}, who = set(), { now = NOW, created = CREATED } = {}) => {
    const { parts } = fakeParts(undefined)
    const mesh = fakeMesh({ chain: { ...WELL, ...chain }, validators: async () => who })
    const membership = { ...parts.membership, genesis: { created } }
    return checkMesh({ mesh, membership } as unknown as Parts, now)
  }
  const found = async (check: string, ...state: Parameters<typeof checked>) =>
    (await checked(...state)).find((finding) => finding.check === check)!

  it('finds nothing where it is well', async () => {
    const findings = await checked()
    expect(findings.filter(({ ok, remedy }) => !ok || remedy !== undefined)).to.deep.equal([])
    expect(findings[0]?.message).to.equal('at epoch 1234, final after 52 ms')
  })

  const problem = { code: 'E_MESH_WAL_DAMAGED', message: 'its log is damaged', hint: 'wait' }
  const later = { now: NOW + 120_000 }
  const BAD: [what: string, check: string, state: Parameters<typeof checked>, message: RegExp, remedy: RegExp][] = [
    ['a problem', 'record', [{ problem }], /its log is damaged \(E_MESH_WAL_DAMAGED\)/, /^wait$/],
    ['that it lags', 'record', [{ behind: 500 }], /500 behind/, /catches up/],
    ['no quorum', 'record quorum', [{}, set('alpha-2', 'alpha-3')], /alpha-2, alpha-3 .*66 %/, /start validators/],
    ['a third that is away', 'record quorum', [{}, set('alpha-2')], /no quorum .*33 %/, /start validators/],
    ['a clock behind', 'record clock', [{}, set(), { now: NOW - 60_000 }], /59 s behind/, /NTP/],
    ['a clock ahead, or silence', 'record clock', [{}, set(), later], /121 s old .* ahead, or/, /NTP.*validators/],
    ['its own key put out', 'record key', [{}, { ...set(), out: [ALPHA_1] }], /put out/, /new ticket/],
    [
      'its own key revoked',
      'record key',
      [{}, { ...set(), revoked: [{ peerId: ALPHA_1, cell: 'alpha', height: 9 }] }],
      /revoked by cell alpha in epoch 9/,
      /new ticket/,
    ],
    ['traps', 'record engine', [{ counters: { ...WELL.counters, traps: 2 } }], /trapped 2 times/, /--bundle/],
  ]
  for (const [what, check, state, message, remedy] of BAD)
    it(`finds ${what}, with a remedy`, async () => {
      const finding = await found(check, ...state)
      expect(finding.ok, finding.message).to.equal(false)
      expect(finding.message).to.match(message)
      expect(finding.remedy).to.match(remedy)
    })

  it('does not blame a clock while nothing becomes final for another reason', async () => {
    for (const chain of [{ problem }, { behind: 500 }])
      expect((await found('record clock', chain, set(), later)).ok).to.equal(true)
  })

  it('leaves a follower alone that is connected to no validator', async () => {
    expect((await found('record quorum', { role: 'follower' }, set('alpha-2', 'alpha-3'))).ok).to.equal(true)
  })

  it('warns of fewer operators than tolerate a liar, of a silent validator, of what was refused, and of evidence', async () => {
    const four = { ...set('alpha-2'), total: 24 }
    const warnings = [
      await found('record operators', { operators: 3, toleratedFaults: 0 }),
      await found('record quorum', {}, four),
      await found('record messages', { counters: { ...WELL.counters, rounds: 5, refusedMessages: 151 } }),
      await found('record messages', { counters: { ...WELL.counters, evidence: 1 } }),
    ]
    for (const { ok, message, remedy } of warnings)
      expect([ok, remedy === undefined], message).to.deep.equal([true, false])
    expect(warnings[0]?.message).to.equal('3 operators: none of them may lie')
  })

  it('asks for a checkpoint once the genesis is older than the trusting period, and not before or with one', async () => {
    const old = { created: NOW - MESH_STATE.policy.trustingMs - 1 }
    const finding = await found('record trust', {}, set(), old)
    expect(finding.message).to.match(/older than the trusting period of 14 days/)
    expect(finding.remedy).to.contain(`kairos config set mesh.checkpoint 1234:${CHAIN.cid}`)
    expect((await found('record trust', { trust: 'checkpoint' }, set(), old)).remedy).to.equal(undefined)
    expect((await found('record trust')).remedy).to.equal(undefined)
  })

  it('still says what is wrong when the validators cannot be read', async () => {
    const mesh = fakeMesh({ chain: { ...WELL, problem }, validators: () => Promise.reject(new Error('closed')) })
    const { parts } = fakeParts(undefined)
    const membership = { ...parts.membership, genesis: { created: CREATED } }
    const [first] = await checkMesh({ mesh, membership } as unknown as Parts, NOW)
    expect(first).to.include({ ok: false, remedy: 'wait' })
  })
})
