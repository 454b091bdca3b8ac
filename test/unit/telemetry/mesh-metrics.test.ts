import { expect } from 'chai'
import { observeMesh } from '../../../node/telemetry/mesh-metrics.ts'
import { createMetrics } from '../../../node/telemetry/metrics.ts'
import { fakeMesh, MESH_STATE } from '../../helpers/fake-mesh.ts'
import { CHAIN } from '../../helpers/fake-record.ts'

describe("metrics of the mesh's record", () => {
  async function scraped(metrics: ReturnType<typeof createMetrics>): Promise<Record<string, number>> {
    const lines = [...(await metrics.scrape()).matchAll(/^(kairos_mesh_\S+) (\S+)$/gm)]
    return Object.fromEntries(lines.map(([, name, value]) => [name, Number(value)]))
  }

  it('are what the summary says at each scrape, and a counter is not counted twice', async () => {
    const metrics = createMetrics()
    const mesh = fakeMesh()
    observeMesh(metrics, mesh)
    await scraped(metrics)
    expect(await scraped(metrics)).to.include({
      kairos_mesh_height_count: 1234,
      kairos_mesh_behind_count: 0,
      kairos_mesh_validators_count: 6,
      kairos_mesh_operators_count: 4,
      kairos_mesh_tolerated_count: 1,
      kairos_mesh_is_validator_ratio: 1,
      kairos_mesh_has_problem_ratio: 0,
      kairos_mesh_magnitude_ratio: 0.85,
      kairos_mesh_collapsed_ratio: 0,
      kairos_mesh_epoch_time_seconds: Date.parse('2026-01-01T00:00:00.000Z') / 1000,
      kairos_mesh_rounds_total: 1240,
      kairos_mesh_proposals_missed_total: 3,
      kairos_mesh_evidence_total: 1,
      kairos_mesh_engine_traps_total: 0,
      kairos_mesh_epochs_synced_total: 100,
    })
    mesh.chain = { ...CHAIN, behind: 7, problem: { code: 'E_NO_QUORUM', message: '' } }
    expect(await scraped(metrics)).to.include({ kairos_mesh_behind_count: 7, kairos_mesh_has_problem_ratio: 1 })
  })

  it('leave out what there is not before the first epoch', async () => {
    const metrics = createMetrics()
    const none = { height: 0, time: null, t: null, magnitudeSquared: null, collapsed: null, finalizedMs: null }
    observeMesh(metrics, fakeMesh({ chain: { ...CHAIN, ...none } }))
    const seen = await scraped(metrics)
    expect(seen).to.include({ kairos_mesh_height_count: 0 })
    expect(seen).to.not.have.any.keys('kairos_mesh_magnitude_ratio', 'kairos_mesh_epoch_time_seconds')
  })

  it('measure finality in seconds, the round of the last epoch, and refusals by codes of the table only', async () => {
    const metrics = createMetrics()
    const mesh = fakeMesh()
    observeMesh(metrics, mesh)
    mesh.observe.onDecided?.(52)
    mesh.observe.onDecided?.(110)
    mesh.finish({ ...MESH_STATE, height: 8 }, [], 3)
    for (const code of ['E_FRAME_TOO_LARGE', 'E_FRAME_TOO_LARGE', 'made up']) mesh.observe.onRefused?.(code)
    expect(await scraped(metrics)).to.include({
      kairos_mesh_finality_duration_seconds_count: 2,
      kairos_mesh_finality_duration_seconds_sum: 0.162,
      'kairos_mesh_finality_duration_seconds_bucket{le="0.1"}': 1,
      kairos_mesh_round_count: 3,
      'kairos_mesh_messages_refused_total{code="E_FRAME_TOO_LARGE"}': 2,
      'kairos_mesh_messages_refused_total{code="other"}': 1,
    })
  })
})
