import type * as Glue from '../modules/coherence.js'
import { fits, type Floats, type KernelArray } from './arrays.ts'
import { createGoertzelBank, createLeakyBank } from './banks.ts'
import { require } from './errors.ts'
import type { CoherenceKernels, Precision, ReportArrays } from './kernels.ts'
import { type Kind, type Store, StoredArray } from './store.ts'
import * as agreement from './twin/agreement.ts'
import * as fields from './twin/fields.ts'
import type { GoertzelBankParams } from './twin/goertzel.ts'
import type { LeakyBankParams } from './twin/leaky.ts'
import * as locking from './twin/phase-locking.ts'
import { phasors } from './twin/phasors.ts'
import * as synthesis from './twin/synthesis.ts'

type F64 = KernelArray<Float64Array>
type I32 = KernelArray<Int32Array>
/** Wasm's object for an array of any width; all of its array classes look alike. */
type Handle = Glue.F64Array

/** The kernels over a store: wasm while it stands, TypeScript otherwise, on the same arrays. */
export class Kernels implements CoherenceKernels {
  readonly #store: Store
  /** what a kernel returns besides a number */
  readonly #result: I32

  constructor(store: Store) {
    this.#store = store
    this.#result = store.allocate('i32', 2)
  }

  get engine() {
    return this.#store.engine?.name ?? 'typescript'
  }

  get faults() {
    return this.#store.faults
  }

  f64(length: number) {
    return this.#store.allocate('f64', length)
  }

  f32(length: number) {
    return this.#store.allocate('f32', length)
  }

  i32(length: number) {
    return this.#store.allocate('i32', length)
  }

  phasors<A extends Floats>(phases: KernelArray<A>, re: KernelArray<A>, im: KernelArray<A>, length = phases.length) {
    const kind = floatsOf(phases)
    require(phases !== re && phases !== im && re !== im, 'E_KERNEL_ARRAY')
    const from = this.#take(kind, length, phases)
    const [toRe, toIm] = [this.#take(kind, length, re), this.#take(kind, length, im)]
    this.#store.run(
      (glue) => (kind === 'f64' ? glue.phasors_f64 : glue.phasors_f32)(from, toRe, toIm, length),
      () => phasors(phases.values, re.values, im.values, length),
    )
  }

  phaseLocking<A extends Floats>(a: KernelArray<A>, b: KernelArray<A>, length = a.length) {
    const kind = floatsOf(a)
    require(a !== b, 'E_KERNEL_ARRAY')
    const [ofA, ofB] = [this.#take(kind, length, a), this.#take(kind, length, b)]
    return this.#store.run(
      (glue) => (kind === 'f64' ? glue.phase_locking_f64 : glue.phase_locking_f32)(ofA, ofB, length),
      () => locking.phaseLocking(a.values, b.values, length),
    )
  }

  phaseLockingMatrix(phases: KernelArray<Floats>, channels: number, length: number, values: F64) {
    locking.checkMatrix(phases, channels, length, values)
    const kind = floatsOf(phases)
    require(phases !== values, 'E_KERNEL_ARRAY')
    const from = this.#take(kind, channels * length, phases)
    const to = this.#take('f64', channels * channels, values)
    this.#store.run(
      (glue) =>
        (kind === 'f64' ? glue.phase_locking_matrix_f64 : glue.phase_locking_matrix_f32)(from, channels, length, to),
      () => locking.phaseLockingMatrix(phases.values, channels, length, values.values),
    )
  }

  quantise(values: F64, quantised: I32, length = values.length) {
    const from = this.#take('f64', length, values)
    const to = this.#take('i32', length, quantised)
    this.#store.run(
      (glue) => glue.quantise(from, to, length),
      () => agreement.quantiseAll(values.values, quantised.values, length),
    )
  }

  weightedSum(reports: ReportArrays, length = reports.weights.length) {
    const { weights, re, im, result } = this.#takeReports(reports, length)
    return this.#store.run(
      (glue) => {
        glue.weighted_sum(weights, re, im, length, result)
        return this.#quantisedT()
      },
      () => agreement.weightedSum(columnsOf(reports), length),
    )
  }

  geometricMedian(reports: ReportArrays, length = reports.weights.length) {
    const { weights, re, im, result } = this.#takeReports(reports, length)
    return this.#store.run(
      (glue) => {
        glue.geometric_median(weights, re, im, length, result)
        return this.#quantisedT()
      },
      () => agreement.geometricMedian(columnsOf(reports), length),
    )
  }

  agreement(reports: ReportArrays, threshold: number, standing: I32, length = reports.weights.length) {
    agreement.checkThreshold(threshold)
    require(standing !== reports.re && standing !== reports.im, 'E_KERNEL_ARRAY')
    const { weights, re, im, result } = this.#takeReports(reports, length)
    const to = this.#take('i32', length, standing)
    return this.#store.run(
      (glue) => {
        const agreeingWeight = glue.decision(weights, re, im, length, threshold, to, result)
        return { median: this.#quantisedT(), agreeingWeight }
      },
      () => agreement.agreement(columnsOf(reports), threshold, standing.values, length),
    )
  }

  synthesisePhases(step: number, start: number, phases: F64, length = phases.length) {
    synthesis.checkSynthesis(step, start)
    const to = this.#take('f64', length, phases)
    return this.#store.run(
      (glue) => glue.synthesise_phases(step, start, to, length),
      () => synthesis.synthesisePhases(step, start, phases.values, length),
    )
  }

  synthesiseTone(step: number, start: number, values: KernelArray<Floats>, length = values.length) {
    synthesis.checkSynthesis(step, start)
    const kind = floatsOf(values)
    const to = this.#take(kind, length, values)
    return this.#store.run(
      (glue) => (kind === 'f64' ? glue.synthesise_tone_f64 : glue.synthesise_tone_f32)(step, start, to, length),
      () => synthesis.synthesiseTone(step, start, values.values, length),
    )
  }

  breathing(times: F64, depths: F64, length = times.length) {
    require(times !== depths, 'E_KERNEL_ARRAY')
    const [from, to] = [this.#take('f64', length, times), this.#take('f64', length, depths)]
    this.#store.run(
      (glue) => glue.breathing(from, to, length),
      () => fields.breathing(times.values, depths.values, length),
    )
  }

  harmonicResonance(frequencies: F64, scores: F64, length = frequencies.length) {
    require(frequencies !== scores, 'E_KERNEL_ARRAY')
    const [from, to] = [this.#take('f64', length, frequencies), this.#take('f64', length, scores)]
    this.#store.run(
      (glue) => glue.harmonic_resonance(from, to, length),
      () => fields.harmonicResonance(frequencies.values, scores.values, length),
    )
  }

  fieldCoherence(values: F64, length = values.length) {
    const from = this.#take('f64', length, values)
    return this.#store.run(
      (glue) => glue.field_coherence(from, length),
      () => fields.fieldCoherence(values.values, length),
    )
  }

  goldenLattice(x: F64, y: F64, length = x.length) {
    require(x !== y, 'E_KERNEL_ARRAY')
    const [from, to] = [this.#take('f64', length, x), this.#take('f64', length, y)]
    this.#store.run(
      (glue) => glue.golden_lattice(from, to, length),
      () => fields.goldenLattice(x.values, y.values, length),
    )
  }

  leakyBank(params: LeakyBankParams, precision: Precision = 'f64') {
    return createLeakyBank(this.#store, params, precision)
  }

  goertzelBank(params: GoertzelBankParams, precision: Precision = 'f64') {
    return createGoertzelBank(this.#store, params, precision)
  }

  /**
   * Wasm's object for an array; undefined in TypeScript, where nobody takes it.
   *
   * @throws KernelError E_KERNEL_ARRAY, E_KERNEL_LENGTH
   */
  #take(kind: Kind, length: number, array: KernelArray<Floats | Int32Array>): Handle {
    require(array instanceof StoredArray && array.kind === kind, 'E_KERNEL_ARRAY')
    const handle = array.handleIn(this.#store)
    require(fits(length, array), 'E_KERNEL_LENGTH')
    return handle as Handle
  }

  #takeReports({ weights, re, im }: ReportArrays, length: number) {
    require(re !== im, 'E_KERNEL_ARRAY')
    return {
      weights: this.#take('f64', length, weights),
      re: this.#take('i32', length, re),
      im: this.#take('i32', length, im),
      result: this.#take('i32', 2, this.#result),
    }
  }

  #quantisedT() {
    const [re = 0, im = 0] = this.#result.values
    return { re, im }
  }
}

function floatsOf(array: KernelArray<Floats>): Precision {
  require(array instanceof StoredArray && array.kind !== 'i32', 'E_KERNEL_ARRAY')
  return array.kind
}

function columnsOf({ weights, re, im }: ReportArrays) {
  return { weights: weights.values, re: re.values, im: im.values }
}
