import { expect } from 'chai'
import { observeCell } from '../../../node/telemetry/cell-metrics.ts'
import { createMetrics } from '../../../node/telemetry/metrics.ts'
import { fakeCell, WELL } from '../../helpers/fake-cell.ts'

describe('metrics of the cell', () => {
  async function scraped(metrics: ReturnType<typeof createMetrics>): Promise<Record<string, number>> {
    const lines = [...(await metrics.scrape()).matchAll(/^(kairos_cell_\S+) (\S+)$/gm)]
    return Object.fromEntries(lines.map(([, name, value]) => [name, Number(value)]))
  }

  it('are what the status says at each scrape, and a counter is not counted twice', async () => {
    const metrics = createMetrics()
    const cell = fakeCell()
    observeCell(metrics, cell)
    await scraped(metrics)
    expect(await scraped(metrics)).to.include({
      kairos_cell_has_leader_ratio: 1,
      kairos_cell_is_leader_ratio: 1,
      kairos_cell_has_quorum_ratio: 1,
      kairos_cell_has_problem_ratio: 0,
      kairos_cell_term_count: 4,
      kairos_cell_commit_index_count: 20,
      kairos_cell_applied_index_count: 19,
      kairos_cell_snapshot_index_count: 10,
      kairos_cell_apply_lag_entries: 1,
      kairos_cell_voters_count: 3,
      kairos_cell_learners_count: 0,
      kairos_cell_leader_changes_total: 2,
      kairos_cell_engine_traps_total: 0,
      kairos_cell_messages_refused_total: 5,
    })
    cell.status = { ...WELL, leader: null, role: 'candidate', hasQuorum: false }
    expect(await scraped(metrics)).to.include({ kairos_cell_has_leader_ratio: 0, kairos_cell_is_leader_ratio: 0 })
  })

  it('measure commits and flushes in seconds', async () => {
    const metrics = createMetrics()
    const { observe, status } = fakeCell()
    observeCell(metrics, { observe, status })
    observe.onCommit?.(4)
    observe.onFlush?.({ ms: 2, bytes: 300, entries: 3 })
    observe.onFlush?.({ ms: 3, bytes: 100, entries: 1 })
    const seen = await scraped(metrics)
    expect(seen).to.include({
      kairos_cell_commit_duration_seconds_count: 1,
      kairos_cell_commit_duration_seconds_sum: 0.004,
      kairos_cell_log_flush_duration_seconds_count: 2,
      kairos_cell_log_flush_duration_seconds_sum: 0.005,
      kairos_cell_log_written_bytes_total: 400,
      kairos_cell_log_entries_total: 4,
    })
    expect(seen['kairos_cell_commit_duration_seconds_bucket{le="0.0025"}']).to.equal(0)
    expect(seen['kairos_cell_commit_duration_seconds_bucket{le="0.005"}']).to.equal(1)
  })
})
