import { digestOf, hex, type ComplexQ30, type MeshState, type OpenReport } from '../../consensus/epoch/index.ts'
import { operatorOf } from './attest-body.ts'

/**
 * T_cell: the mean of what a cell's members reported, in the reports of one block. Whose reports count is as in T_global.
 *
 * @param before - the mesh's state before the block: who reports in it, and of which epoch
 * @returns floors of the means of both parts; null when none of them counts
 */
export function cellMean(
  cell: string,
  reports: readonly Uint8Array[],
  before: Pick<MeshState, 'height' | 'reporters' | 'operators'>,
  open: OpenReport,
): ComplexQ30 | null {
  const members = new Set(operatorOf(cell, before)?.members.map(hex))
  const reporters = new Set(before.reporters.filter((one) => one.cell === cell).map(({ key }) => hex(key)))
  const said = new Map<string, ComplexQ30 | undefined>()
  for (const envelope of reports) {
    const report = open(envelope, hex(digestOf(envelope)))
    if (report === undefined || report.epoch !== before.height) continue
    const author = hex(report.author)
    if (!members.has(author) || !reporters.has(author)) continue
    // Who says two things of one epoch has said nothing.
    said.set(author, said.has(author) ? undefined : report.t)
  }
  const counted = [...said.values()].filter((t) => t !== undefined)
  if (counted.length === 0) return null
  const mean = (part: 0 | 1): number => Math.floor(counted.reduce((sum, t) => sum + t[part], 0) / counted.length)
  return [mean(0), mean(1)]
}
