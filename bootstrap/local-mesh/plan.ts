import type { Role } from '../../protocols/admission/index.ts'

/** One of the nine nodes of the local mesh (README, "The local mesh"). */
export interface PlannedNode {
  name: string
  cell: string
  role: Role
  /** Founders make the genesis together; the others are invited by `alpha-1`. */
  founder: boolean
  /** Column of the recording; none for roles without a transducer. */
  column: 'temperature' | 'pressure' | 'wind' | null
}

export const OPERATOR_WEIGHT = 3

/** Four operators. delta reads another rhythm than the rest: the honest dissenter. */
export const NODES: readonly PlannedNode[] = [
  { name: 'alpha-1', cell: 'alpha', role: 'full', founder: true, column: 'temperature' },
  { name: 'beta-1', cell: 'beta', role: 'full', founder: true, column: 'temperature' },
  { name: 'gamma-1', cell: 'gamma', role: 'full', founder: true, column: 'temperature' },
  { name: 'delta-1', cell: 'delta', role: 'full', founder: true, column: 'pressure' },
  { name: 'alpha-2', cell: 'alpha', role: 'full', founder: false, column: 'temperature' },
  { name: 'alpha-3', cell: 'alpha', role: 'full', founder: false, column: 'temperature' },
  { name: 'light', cell: 'alpha', role: 'light', founder: false, column: 'wind' },
  { name: 'witness', cell: 'alpha', role: 'witness', founder: false, column: null },
  { name: 'relay', cell: 'alpha', role: 'relay', founder: false, column: null },
]

export const DAY_S = 86_400
const HOUR_S = 3600
/** τ = τ_max / 3.676138 (coherence.md §5): 10 and 30 days. */
const TAU_MAX_PER_TAU = 3.676138347
const EMISSARY_TAU_DAYS = 10
const MASTER_TAU_DAYS = 30
/**
 * Sensor noise in °F, hPa and mph, and lost readings. With this much the days of summer stay coherent and
 * the small days of winter do not: coherence grows, collapses, breaks and heals once a year.
 */
const SENSOR_NOISE = { temperature: 1, pressure: 0.05, wind: 0.1 }
const GAP_RATE = 0.002

/** ω of the mesh: one cycle a day, rad/s. */
export const OMEGA = (2 * Math.PI) / DAY_S

/** The part of a node's configuration that the local mesh decides, as dotted keys. */
export function plannedConfig(node: PlannedNode, index: number, recording: string, daysPerSecond: number) {
  const signal =
    node.column === null
      ? { 'signal.source': 'none' }
      : {
          'signal.source': 'recording',
          'signal.path': recording,
          'signal.column': node.column,
          'signal.rate_hz': 1 / HOUR_S,
          'signal.period_s': DAY_S,
          'signal.block': 24,
          'signal.loop': true,
          'signal.speed': daysPerSecond * DAY_S,
          'signal.noise': SENSOR_NOISE[node.column],
          'signal.gap_rate': GAP_RATE,
          'signal.seed': index + 1,
        }
  return {
    ...signal,
    'emissary.tau_max': EMISSARY_TAU_DAYS * TAU_MAX_PER_TAU * DAY_S,
    'master.tau_max': MASTER_TAU_DAYS * TAU_MAX_PER_TAU * DAY_S,
    'logging.level': 'warn',
  }
}
