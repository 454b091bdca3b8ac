import { expect } from 'chai'
import { EpochApplication, type EpochStore } from '../../../consensus/epoch/index.ts'
import { withNamedReports } from '../../../node/mesh/named-reports.ts'
import { TestMesh } from '../epoch/mesh.ts'

const nothing: EpochStore = {
  persist: async () => undefined,
  proposal: async () => undefined,
  commit: async () => undefined,
}

describe('reports that a vote names', () => {
  it('go into the log with the vote: also those of a round before, which the disk has not had yet', async () => {
    const mesh = new TestMesh({ a: 2 })
    const { state, certificate, ports } = mesh
    const fetchReports = async () => []
    const all = new EpochApplication({ state, certificate, ports, store: nothing, fetchReports, now: () => 1 })
    const written: [records: string[], reports: number][] = []
    const wal = {
      read: async () => [],
      append: async (_height: number, records: readonly Uint8Array[], reports: readonly Uint8Array[] = []) => {
        const distinct = new Set(reports.map((report) => Buffer.from(report).toString('hex')))
        written.push([records.map((record) => Buffer.from(record).toString()), distinct.size])
      },
    }
    const { application, wal: log } = withNamedReports(all, wal)
    const [one, other] = mesh.nodes
    all.reports.put(mesh.report(one!, [1, 1]))
    application.extension(0, state.head)
    // As if the pool had given up what the first vote named.
    all.reports.enter({ ...state, operators: [], height: 5 })
    all.reports.enter(state)
    all.reports.put(mesh.report(other!, [2, 2]))
    application.extension(1, state.head)
    await log.append(1, [Buffer.from('two votes')])
    await log.append(1, [Buffer.from('no vote')])
    expect(written).to.deep.equal([
      [['two votes'], 2],
      [['no vote'], 0],
    ])
  })
})
