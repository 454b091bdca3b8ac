import type { Verdict } from '../../protocols/shared/verdict.ts'
import type { KernelFault } from '../../wasm/index.ts'
import { ERRORS } from '../error-table.ts'
import type { Operations, StatusDocument } from '../operations.ts'
import type { Metrics } from './metrics.ts'

/** What an operator's dashboard shows of a node, read from its status at each scrape. */
export function observeNode(metrics: Metrics, operations: Pick<Operations, 'status'>): void {
  const gauges: [MetricGauge, (status: StatusDocument) => number | undefined][] = [
    [metrics.gauge('kairos_node_ready_ratio', '1 when ready, else 0'), (s) => Number(s.ready)],
    [metrics.gauge('kairos_node_uptime_seconds', 'Time since start'), (s) => s.uptimeSeconds],
    [metrics.gauge('kairos_peers_connected_count', 'Connected peers'), (s) => s.peers.connected],
    [metrics.gauge('kairos_peers_known_count', 'Known members'), (s) => s.peers.known],
    [metrics.gauge('kairos_coherence_magnitude_ratio', '|T|² of this node'), (s) => s.coherence?.magnitudeSquared],
    [metrics.gauge('kairos_coherence_collapsed_ratio', '1 when collapsed'), (s) => toNumber(s.coherence?.collapsed)],
    [metrics.gauge('kairos_global_magnitude_ratio', '|T_global|²'), (s) => s.global.magnitudeSquared],
    [metrics.gauge('kairos_global_collapsed_ratio', '1 when the mesh collapsed'), (s) => Number(s.global.collapsed)],
    [metrics.gauge('kairos_global_reporting_ratio', 'Weight with fresh reports'), (s) => s.global.weightReporting],
    [metrics.gauge('kairos_global_agreeing_ratio', 'Weight that agrees'), (s) => s.global.weightAgreeing],
  ]
  metrics.beforeScrape(async () => {
    const status = await operations.status()
    for (const [gauge, read] of gauges) {
      const value = read(status)
      if (value === undefined) gauge.remove()
      else gauge.set(value)
    }
  })
}

/** Counts gossip messages by what became of them: a refusal has a code, and is counted. */
export function gossipCounter(metrics: Metrics): (topic: string, verdict: Verdict) => void {
  const labels = ['verdict', 'code'] as const
  const total = metrics.counter('kairos_gossip_messages_total', 'Gossip messages received, by verdict and code', labels)
  return (_topic, verdict) => {
    const code = verdict.kind === 'accept' ? '' : verdict.code in ERRORS ? verdict.code : 'other'
    total.inc({ verdict: verdict.kind, code })
  }
}

/** Counts modules of wasm that did not load or trapped, after which TypeScript does their work. */
export function kernelFaultCounter(metrics: Metrics): (fault: KernelFault) => void {
  const total = metrics.counter('kairos_coherence_kernel_faults_total', 'Failures of the wasm kernels, by kind', [
    'kind',
  ])
  return ({ kind }) => total.inc({ kind })
}

type MetricGauge = ReturnType<Metrics['gauge']>

const toNumber = (flag: boolean | undefined) => (flag === undefined ? undefined : Number(flag))
