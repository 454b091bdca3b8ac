/** 2π(1-1/φ), rad: the angle that leaves no two seeds of a sunflower in line. */
export const GOLDEN_ANGLE = Math.PI * (3 - Math.sqrt(5))

export interface LatticePoint {
  readonly radius: number
  /** rad, in [0, 2π) */
  readonly angle: number
  readonly x: number
  readonly y: number
}

/**
 * Golden-angle lattice (Vogel 1979): θ_k = k·2π(1-1/φ), r_k = √k, equal area per point.
 *
 * @param count - points
 */
export function goldenLattice(count: number): LatticePoint[] {
  return Array.from({ length: count }, (_, k) => {
    const radius = Math.sqrt(k)
    const angle = (k * GOLDEN_ANGLE) % (2 * Math.PI)
    return { radius, angle, x: radius * Math.cos(angle), y: radius * Math.sin(angle) }
  })
}
