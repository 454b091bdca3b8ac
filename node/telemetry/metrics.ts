import { Counter, Gauge, Histogram, Registry, collectDefaultMetrics } from 'prom-client'

/** What a number counts; the last word of a metric's name. */
type Unit = 'bytes' | 'count' | 'entries' | 'ratio' | 'seconds' | 'total'
export type MetricName = `kairos_${string}_${string}_${Unit}`

/** The process's metrics. Labels come from declared sets only: a label that a peer can choose grows without bound. */
export interface Metrics {
  readonly registry: Registry
  counter<L extends string = never>(name: MetricName, help: string, labels?: readonly L[]): Counter<L>
  gauge<L extends string = never>(name: MetricName, help: string, labels?: readonly L[]): Gauge<L>
  histogram<L extends string = never>(options: HistogramInit<L>): Histogram<L>
  /** Runs before each scrape, to set gauges from what is known elsewhere. */
  beforeScrape(refresh: () => void | Promise<void>): void
  /** @returns all metrics in the Prometheus text format */
  scrape(): Promise<string>
}

export interface HistogramInit<L extends string> {
  name: MetricName
  help: string
  labels?: readonly L[]
  buckets: number[]
}

/** A registry of its own, so that several nodes in one process do not mix; with the `process_` and `nodejs_` metrics. */
export function createMetrics(): Metrics {
  const registry = new Registry()
  const refreshers: (() => void | Promise<void>)[] = []
  const registers = [registry]
  collectDefaultMetrics({ register: registry })
  return {
    registry,
    counter: (name, help, labels = []) => new Counter({ name, help, labelNames: labels, registers }),
    gauge: (name, help, labels = []) => new Gauge({ name, help, labelNames: labels, registers }),
    histogram: ({ labels = [], ...init }) => new Histogram({ ...init, labelNames: labels, registers }),
    beforeScrape: (refresh) => void refreshers.push(refresh),
    async scrape() {
      await Promise.all(refreshers.map((refresh) => refresh()))
      return registry.metrics()
    },
  }
}
