/** Topic of the reports; the mesh id is appended, so two meshes never share one. */
export const PHASE_TOPIC_PREFIX = '/kairos/phase/1'
/** Domain of the author's signature: worth nothing as a signature of anything else. */
export const PHASE_DOMAIN = 'kairos/phase/1'
/** Whole envelope. A full node's report takes about 260 bytes. */
export const MAX_REPORT_BYTES = 512
/** A report's time may differ from our clock by this much, either way: later it is a replay or nobody's fault. */
export const MAX_CLOCK_DIFFERENCE_MS = 60_000
/** Bounds of the period that an author announces: it is fresh for a few of them, so a long one must be limited. */
export const MIN_PERIOD_MS = 200
export const MAX_PERIOD_MS = 60_000

export function phaseTopic(meshId: string): string {
  return `${PHASE_TOPIC_PREFIX}/${meshId}`
}
