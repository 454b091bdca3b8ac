import { randomBytes } from 'node:crypto'
import { expect } from 'chai'
import { Auditor } from '../../node/pins/audit/auditor.ts'
import { Findings } from '../../node/pins/audit/findings.ts'
import { OwnVerdicts } from '../../node/pins/audit/own-verdicts.ts'
import { Precomputed } from '../../node/pins/audit/precomputed.ts'
import { createLog } from '../../node/telemetry/log.ts'
import { AuditCell, guess, lie, pinned, type AuditNode } from '../helpers/audit-cell.ts'
import { MemorySublevel } from '../helpers/memory-sublevel.ts'
import { nameOf, NEVER, type Block } from '../helpers/pin-fixtures.ts'

const PERIOD_MS = 43_200_000
const PINS = 12

describe('audit by the clock', () => {
  let cell: AuditCell
  let one: AuditNode
  let two: AuditNode
  let three: AuditNode
  let cids: string[]
  let now: number
  let findings: Findings
  let auditor: Auditor

  beforeEach(async () => {
    cell = new AuditCell()
    one = await cell.add()
    two = await cell.add()
    three = await cell.add()
    for (const { audit } of [two, three]) await audit.start()
    cids = []
    for (let number = 0; number < PINS; number++) await pin(`${number}`)
    now = 1_700_000_000_000
    auditor = open()
  })
  afterEach(() => cell.stop())

  const pin = async (name: string, leaves = 3): Promise<Block[]> => {
    const blocks = await pinned(name, [one, two, three], leaves)
    cell.agree(blocks[0]!.cid, [one, two, three])
    cids.push(blocks[0]!.cid.toString())
    return blocks
  }
  const open = (periodMs = PERIOD_MS): Auditor => {
    const common = { periodMs, now: () => now, random: randomBytes, store: new MemorySublevel() }
    const read = async () => undefined
    findings = new Findings({ cell, canBeAsked: () => true, ...common })
    return new Auditor({
      ...common,
      libp2p: one.libp2p,
      cell,
      self: one.peerId,
      local: one.index.pins,
      readBlock: async (cid) => {
        for await (const bytes of one.index.store.get(cid)) return bytes
        return undefined
      },
      isOfCell: () => true,
      log: createLog({ level: 'silent', format: 'text' }).forComponent('test'),
      own: new OwnVerdicts(common),
      findings,
      precomputed: new Precomputed({ ...common, readBlock: read }),
      onResult: (result) => void one.results.push(result),
    })
  }
  /** @returns how many steps there were */
  const pass = async (ms: number): Promise<number> => {
    const end = now + ms
    for (let steps = 0; ; steps++) {
      const waitMs = await auditor.waitMs()
      if (now + waitMs > end) {
        now = end
        return steps
      }
      now += waitMs
      await auditor.step(NEVER)
    }
  }

  it('every copy of a liar is found within one period, and stays bad from period to period', async () => {
    await lie(two, guess)
    await pass(PERIOD_MS)
    for (let period = 0; period < 3; period++) {
      for (const cid of cids) expect(findings.badCopies(cid)).to.deep.equal([two.peerId])
      await pass(PERIOD_MS)
    }
  })

  it('every honest copy is proven once or twice in a period', async () => {
    for (let period = 0; period < 3; period++) {
      await pass(PERIOD_MS)
      for (const cid of cids)
        for (const { peerId } of [two, three]) expect(findings.provenAt(cid, peerId)).to.be.within(now - PERIOD_MS, now)
    }
    expect(one.results).to.not.include('failed')
    expect(one.results.length).to.be.within(3 * 2 * PINS, 2 * 3 * 2 * PINS + 2)
  })

  it('a lost answer is asked for again soon, and blames nobody', async () => {
    let lost = 0
    await two.audit.stop()
    await lie(two, async () => void lost++)
    while (lost === 0) await pass(PERIOD_MS / 100)
    await two.libp2p.unhandle('/kairos/audit/1.0.0')
    await two.audit.start()
    await pass(PERIOD_MS)
    expect(lost).to.equal(1)
    for (const cid of cids) expect(findings.badCopies(cid)).to.deep.equal([])
    for (const cid of cids) expect(findings.provenAt(cid, two.peerId)).to.be.above(now - PERIOD_MS)
  })

  it('a copy that lacks one block of many is not cleared by luck', async () => {
    const [root, lost] = await pin('large', 300)
    two.index.store.blocks.delete(nameOf(lost!.cid))
    const bad = () => findings.badCopies(root!.cid.toString())
    while (bad().length === 0) await pass(PERIOD_MS / 20)
    for (let slice = 0; slice < 60; slice++) {
      expect(bad()).to.deep.equal([two.peerId])
      await pass(PERIOD_MS / 20)
    }
    await two.index.store.put(lost!.cid, lost!.bytes)
    await pass(PERIOD_MS / 2)
    expect(bad()).to.deep.equal([])
  })

  it('visits go on when more copies are due again than there is time for', async () => {
    for (let number = 0; number < 2 * PINS; number++) await pin(`more ${number}`)
    auditor = open(20_000)
    await lie(two, guess)
    await pass(40_000)
    for (const cid of cids) expect(findings.provenAt(cid, three.peerId)).to.not.equal(undefined)
  })

  it('what others fail to prove does not keep the rest from being challenged', async () => {
    await lie(two, async () => undefined)
    await pass(PERIOD_MS)
    for (const cid of cids) expect(findings.provenAt(cid, three.peerId)).to.be.within(now - PERIOD_MS, now)
  })
})
