import type { PhaseReport } from '../../../protocols/phase/index.ts'

/** Unix milliseconds at which the tests play. */
export const NOW = 1_800_000_000_000
export const MESH = Buffer.from('mesh')

/** The same T in all three places, as a node has it whose halves agree. */
export function withT(t: readonly [number, number]): Pick<PhaseReport, 'emissary' | 'master' | 'sync'> {
  return { emissary: [...t], master: [...t], sync: [...t] }
}

/** A full node's report in the direction of 1 with |T_sync| = 1/2, unless told. */
export function reportBy(key: { publicKey: { raw: Uint8Array } }, change: Partial<PhaseReport> = {}): PhaseReport {
  return {
    mesh: MESH,
    author: key.publicKey.raw,
    epoch: 7,
    seq: 1,
    time: NOW,
    periodMs: 1000,
    ...withT([2 ** 29, 0]),
    nEffMilli: 20_000,
    collapsed: { emissary: false, master: false, sync: false },
    alignment: { magnitude: 0, argument: 0 },
    heads: [],
    ...change,
  }
}
