import { fits, type Floats } from '../arrays.ts'
import { require } from '../errors.ts'

/** Twin of `phasors` in {@link CoherenceKernels}. */
export function phasors(phases: Floats, re: Floats, im: Floats, length: number): void {
  require(fits(length, phases, re, im), 'E_KERNEL_LENGTH')
  for (let k = 0; k < length; k++) {
    const phase = phases[k]!
    const isFinite = Number.isFinite(phase)
    re[k] = isFinite ? Math.cos(phase) : 0
    im[k] = isFinite ? Math.sin(phase) : 0
  }
}
