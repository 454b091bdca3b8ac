import { isReport, openReport, type PhaseReport } from '../../../protocols/phase/index.ts'

/** What transducers say, as the pulse reads it and as a document shows it. */
export const VALUE = { t: { re: 0.5, im: -0.25 }, nEff: 20, collapsed: false }
const SHOWN = { t: [0.5, -0.25], magnitudeSquared: 0.3125, collapsed: false, nEff: 20, falseAlarm: 0 }
export const FULL = {
  emissary: SHOWN,
  master: SHOWN,
  sync: { ...SHOWN, deltaMagnitude: 0, deltaArgument: 0, realignments: 0 },
}

/** @throws {Error} for one that is not what its author signed */
export function opened(sent: Uint8Array[], by: { mesh: Uint8Array; from: Uint8Array }): PhaseReport[] {
  return sent.map((bytes) => {
    const report = openReport(bytes, { ...by, nowMs: Date.now() })
    if (!isReport(report)) throw new Error(report.kind)
    return report
  })
}
