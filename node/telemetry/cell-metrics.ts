import type { CellService, CellStatusDocument } from '../cell/types.ts'
import type { Metrics } from './metrics.ts'

/** From a fast disk's flush to the longest election. */
const BUCKETS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5]

type Read = (status: CellStatusDocument) => number

/** What an operator's dashboard shows of the cell: what happens as it happens, the rest at each scrape. */
export function observeCell(metrics: Metrics, cell: Pick<CellService, 'status' | 'observe'>): void {
  observeWork(metrics, cell)
  const gauges = gaugesOf(metrics)
  const counters = countersOf(metrics)
  metrics.beforeScrape(() => {
    const { status } = cell
    for (const [gauge, read] of gauges) gauge.set(read(status))
    for (const [counter, read] of counters) {
      counter.reset()
      counter.inc(read(status))
    }
  })
}

function observeWork({ counter, histogram }: Metrics, { observe }: Pick<CellService, 'observe'>): void {
  const name = 'kairos_cell_commit_duration_seconds'
  const commits = histogram({ name, help: 'A command of this node, from proposal to result', buckets: BUCKETS })
  const flushName = 'kairos_cell_log_flush_duration_seconds'
  const flushes = histogram({ name: flushName, help: 'Synced write of the Raft log', buckets: BUCKETS })
  const written = counter('kairos_cell_log_written_bytes_total', 'Bytes flushed to the Raft log')
  const entries = counter('kairos_cell_log_entries_total', 'Entries flushed to the Raft log')
  observe.onCommit = (ms) => commits.observe(ms / 1000)
  observe.onFlush = (flush) => {
    flushes.observe(flush.ms / 1000)
    written.inc(flush.bytes)
    entries.inc(flush.entries)
  }
}

function gaugesOf({ gauge }: Metrics): [ReturnType<Metrics['gauge']>, Read][] {
  return [
    [
      gauge('kairos_cell_has_leader_ratio', '1 when this node knows a leader, else 0'),
      (s) => Number(s.leader !== null),
    ],
    [gauge('kairos_cell_is_leader_ratio', '1 when this node leads, else 0'), (s) => Number(s.role === 'leader')],
    [gauge('kairos_cell_has_quorum_ratio', '1 when a majority is connected'), (s) => Number(s.hasQuorum)],
    [gauge('kairos_cell_has_problem_ratio', '1 when the cell does not work here'), (s) => Number(s.problem !== null)],
    [gauge('kairos_cell_term_count', 'Raft term'), (s) => s.term],
    [gauge('kairos_cell_commit_index_count', 'Index of the last committed entry'), (s) => s.commitIndex],
    [gauge('kairos_cell_applied_index_count', 'Index of the last applied entry'), (s) => s.appliedIndex],
    [gauge('kairos_cell_snapshot_index_count', 'Index of the last durable snapshot'), (s) => s.snapshotIndex],
    [
      gauge('kairos_cell_apply_lag_entries', 'Committed entries not applied yet'),
      (s) => Math.max(0, s.commitIndex - s.appliedIndex),
    ],
    [
      gauge('kairos_cell_log_size_entries', 'Committed entries that the log holds after the last snapshot'),
      (s) => Math.max(0, s.commitIndex - s.snapshotIndex),
    ],
    [gauge('kairos_cell_voters_count', 'Voters'), (s) => s.voters.length],
    [gauge('kairos_cell_learners_count', 'Members that are catching up'), (s) => s.learners.length],
  ]
}

function countersOf({ counter }: Metrics): [ReturnType<Metrics['counter']>, Read][] {
  return [
    [counter('kairos_cell_leader_changes_total', 'Changes of leader seen'), (s) => s.counters.leaderChanges],
    [counter('kairos_cell_engine_traps_total', 'Traps of the Raft engine'), (s) => s.counters.traps],
    [counter('kairos_cell_messages_refused_total', 'Raft messages refused'), (s) => s.counters.refusedMessages],
  ]
}
