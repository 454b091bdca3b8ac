import { ERRORS } from '../error-table.ts'
import type { MeshService } from '../mesh/types.ts'
import type { ChainSummary } from '../operations-mesh.ts'
import type { Metrics } from './metrics.ts'

/** From validators on one machine to some rounds across the world. */
const BUCKETS = [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30]

type Read = (summary: ChainSummary) => number | undefined

/** What an operator's dashboard shows of the mesh's record: what happens as it happens, the rest at each scrape. */
export function observeMesh(metrics: Metrics, mesh: Pick<MeshService, 'summary' | 'observe' | 'onFinal'>): void {
  observeWork(metrics, mesh)
  const gauges = gaugesOf(metrics)
  const counters = countersOf(metrics)
  metrics.beforeScrape(() => {
    const summary = mesh.summary()
    if (summary === null) return
    for (const [gauge, read] of gauges) {
      const value = read(summary)
      if (value === undefined) gauge.remove()
      else gauge.set(value)
    }
    for (const [counter, read] of counters) {
      counter.reset()
      counter.inc(read(summary))
    }
  })
}

function observeWork(
  { counter, gauge, histogram }: Metrics,
  { observe, onFinal }: Pick<MeshService, 'observe' | 'onFinal'>,
): void {
  const name = 'kairos_mesh_finality_duration_seconds'
  const finality = histogram({ name, help: 'From the start of an epoch here to its decision', buckets: BUCKETS })
  const refused = counter('kairos_mesh_messages_refused_total', 'Messages of peers refused, by code', ['code'])
  const round = gauge('kairos_mesh_round_count', 'Round in which the last epoch became final')
  observe.onDecided = (ms) => finality.observe(ms / 1000)
  observe.onRefused = (code) => refused.inc({ code: code in ERRORS ? code : 'other' })
  onFinal(({ certificate }) => round.set(certificate.round))
}

function gaugesOf({ gauge }: Metrics): [ReturnType<Metrics['gauge']>, Read][] {
  return [
    [gauge('kairos_mesh_height_count', 'Height of the last final epoch here'), (s) => s.height],
    [gauge('kairos_mesh_behind_count', 'Epochs behind the highest that a peer told of'), (s) => s.behind],
    [gauge('kairos_mesh_validators_count', 'Validators of the next epoch'), (s) => s.validators],
    [gauge('kairos_mesh_operators_count', 'Operators'), (s) => s.operators],
    [
      gauge('kairos_mesh_tolerated_count', 'Operators of which the record stands that they lie'),
      (s) => s.toleratedFaults,
    ],
    [
      gauge('kairos_mesh_is_validator_ratio', '1 when this node votes on the next epoch, else 0'),
      (s) => Number(s.role === 'validator'),
    ],
    [
      gauge('kairos_mesh_has_problem_ratio', '1 when nothing becomes final or is followed here'),
      (s) => Number(s.problem !== null),
    ],
    [gauge('kairos_mesh_magnitude_ratio', '|T_global|² as agreed'), (s) => s.magnitudeSquared ?? undefined],
    [
      gauge('kairos_mesh_collapsed_ratio', '1 when the mesh is agreed to have collapsed'),
      (s) => (s.collapsed === null ? undefined : Number(s.collapsed)),
    ],
    [
      gauge('kairos_mesh_epoch_time_seconds', 'Time of the last final epoch, since 1970'),
      (s) => (s.time === null ? undefined : Date.parse(s.time) / 1000),
    ],
  ]
}

function countersOf({ counter }: Metrics): [ReturnType<Metrics['counter']>, (summary: ChainSummary) => number][] {
  return [
    [counter('kairos_mesh_rounds_total', 'Rounds begun here'), (s) => s.counters.rounds],
    [
      counter('kairos_mesh_proposals_missed_total', 'Rounds whose proposer was not heard in time'),
      (s) => s.counters.missedProposals,
    ],
    [counter('kairos_mesh_evidence_total', 'Contradictions of validators seen'), (s) => s.counters.evidence],
    [counter('kairos_mesh_engine_traps_total', 'Traps of the engine of epochs'), (s) => s.counters.traps],
    [counter('kairos_mesh_epochs_synced_total', 'Epochs taken from peers'), (s) => s.counters.syncedEpochs],
  ]
}
