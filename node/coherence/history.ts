import type { Config } from '../config/schema.ts'
import type { EventLog } from '../events.ts'
import type { CoherencePoint } from '../operations.ts'
import type { Service } from '../service.ts'
import type { ReportPool } from './reports.ts'
import type { CoherenceService } from './service.ts'

/** Points kept: an hour at one report a second. */
export const MAX_POINTS = 3600

export interface History extends Service {
  /** Oldest first, later than `since` (ms), the last `limit` of them. */
  points(options: { since?: number; limit: number }): CoherencePoint[]
}

export interface HistoryInit {
  config: Config
  coherence: CoherenceService
  pool: ReportPool
  events: EventLog
}

/** Looks at this node's and the mesh's coherence once per report period, keeps it, and tells what changed. */
export function createHistory({ config, coherence, pool, events }: HistoryInit): History {
  const kept: CoherencePoint[] = []
  let timer: NodeJS.Timeout | undefined

  function look(): void {
    const { t, collapsed } = coherence.engine.own
    const heard = coherence.isLive
    const global = pool.global()
    const point: CoherencePoint = {
      time: Date.now(),
      t: heard ? [t.re, t.im] : null,
      magnitudeSquared: heard ? t.re ** 2 + t.im ** 2 : null,
      collapsed: heard ? collapsed : null,
      global: { t: global.t, magnitudeSquared: global.magnitudeSquared, collapsed: global.collapsed },
    }
    tell(kept.at(-1), point)
    kept.push(point)
    if (kept.length > MAX_POINTS) kept.shift()
  }

  function tell(before: CoherencePoint | undefined, now: CoherencePoint): void {
    events.publish('coherence', { ...now })
    // A signal that falls silent is no longer collapsed.
    const collapsed = now.collapsed ?? false
    if ((before?.collapsed ?? false) !== collapsed) {
      events.publish('collapse', { scope: 'node', collapsed, magnitudeSquared: now.magnitudeSquared })
    }
    if ((before?.global.collapsed ?? false) !== now.global.collapsed) {
      events.publish('collapse', { scope: 'mesh', ...now.global })
    }
  }

  return {
    name: 'history',
    points: ({ since = 0, limit }) => kept.filter(({ time }) => time > since).slice(-limit),
    async start() {
      timer = setInterval(look, config.phase.rate_s * 1000)
    },
    async stop() {
      clearInterval(timer)
    },
  }
}
