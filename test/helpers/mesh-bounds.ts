import { reportIn } from '../../protocols/phase/index.ts'
import { compareBytes } from '../../consensus/light/bytes.ts'
import type { MeshMember } from './mesh-member.ts'

/** A complex number. */
export type Point = readonly [re: number, im: number]

const ONE = 2 ** 30
/** 64 Weiszfeld steps stop a little short of a median that lies on a report. */
const STEPS_SHORT = 2e-3

/** Points around their mean: how far the farthest is, and how far another one. */
export function spanOf(points: readonly Point[]) {
  const mean = meanOf(points)
  const to = (point: Point): number => Math.hypot(point[0] - mean[0], point[1] - mean[1])
  return { mean, to, radius: Math.max(...points.map(to)) }
}

/** Coherence.md P8: how far liars of weight β move the median from the middle of reports within ρ of it. */
export function medianBound(rho: number, beta: number): number {
  return (rho * (1 - beta)) / Math.sqrt(1 - 2 * beta) + STEPS_SHORT
}

/** What does most harm to a T_global, a median and a decision, by what the others last said. */
export const extremes = {
  'against the others': (honest: readonly Point[]): Point => turned(honest, Math.PI),
  'across the others': (honest: readonly Point[]): Point => turned(honest, Math.PI / 2),
}

/** T of the reports in a block that are not the member's own. */
export function honestIn(reports: readonly Uint8Array[], { pen }: MeshMember): Point[] {
  const opened = reports.map(reportIn).filter(({ author }) => compareBytes(author, pen.key) !== 0)
  return opened.map(({ sync }) => [sync[0] / ONE, sync[1] / ONE])
}

function turned(points: readonly Point[], by: number): Point {
  const [re, im] = points.length === 0 ? [1, 0] : meanOf(points)
  const angle = Math.atan2(im, re) + by
  return [Math.cos(angle), Math.sin(angle)]
}

function meanOf(points: readonly Point[]): Point {
  const sum = (part: 0 | 1): number => points.reduce((all, point) => all + point[part], 0) / points.length
  return [sum(0), sum(1)]
}
