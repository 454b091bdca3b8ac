/** Topic of the reports; the mesh id is appended, so two meshes never share one. */
export const PHASE_TOPIC_PREFIX = '/kairos/phase/1'
/** Domain of the author's signature: worth nothing as a signature of anything else. */
export const PHASE_DOMAIN = 'kairos/phase/1'
/** Whole envelope. A full node's report takes about 260 bytes. */
export const MAX_REPORT_BYTES = 512
/** A report may be this far ahead of our clock before it is refused as from the future. */
export const MAX_FUTURE_MS = 60_000

export function phaseTopic(meshId: string): string {
  return `${PHASE_TOPIC_PREFIX}/${meshId}`
}
