import { setImmediate } from 'node:timers'
import type { Clock } from '../../consensus/cell/index.ts'

/** The machine's own. */
export const clock: Clock = {
  now: () => performance.now(),
  after(ms, run) {
    if (ms > 0) {
      const timer = setTimeout(run, ms)
      return () => clearTimeout(timer)
    }
    const immediate = setImmediate(run)
    return () => clearImmediate(immediate)
  },
}
