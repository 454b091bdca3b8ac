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
/** Wasm's objects for arrays; all of its array classes look alike. */
type Handles<T> = { [K in keyof T]: Glue.F64Array }

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
    const handles = this.#take(kind, length, phases, re, im)
    this.#store.run(
      (glue) => (kind === 'f64' ? glue.phasors_f64 : glue.phasors_f32)(...handles, length),
      () => phasors(phases.values, re.values, im.values, length),
    )
  }

  phaseLocking<A extends Floats>(a: KernelArray<A>, b: KernelArray<A>, length = a.length) {
    const kind = floatsOf(a)
    const handles = this.#take(kind, length, a, b)
    return this.#store.run(
      (glue) => (kind === 'f64' ? glue.phase_locking_f64 : glue.phase_locking_f32)(...handles, length),
      () => locking.phaseLocking(a.values, b.values, length),
    )
  }

  phaseLockingMatrix(phases: KernelArray<Floats>, channels: number, length: number, values: F64) {
    locking.checkMatrix(phases, channels, length, values)
    const kind = floatsOf(phases)
    require(phases !== values, 'E_KERNEL_ARRAY')
    const [from] = this.#take(kind, channels * length, phases)
    const [to] = this.#take('f64', channels * channels, values)
    this.#store.run(
      (glue) =>
        (kind === 'f64' ? glue.phase_locking_matrix_f64 : glue.phase_locking_matrix_f32)(from, channels, length, to),
      () => locking.phaseLockingMatrix(phases.values, channels, length, values.values),
    )
  }

  quantise(values: F64, quantised: I32, length = values.length) {
    const [from] = this.#take('f64', length, values)
    const [to] = this.#take('i32', length, quantised)
    this.#store.run(
      (glue) => glue.quantise(from, to, length),
      () => agreement.quantiseAll(values.values, quantised.values, length),
    )
  }

  weightedSum(reports: ReportArrays, length = reports.weights.length) {
    const [weights, re, im, result] = this.#takeReports(reports, length)
    return this.#store.run(
      (glue) => {
        glue.weighted_sum(weights, re, im, length, result)
        return this.#quantisedT()
      },
      () => agreement.weightedSum(columnsOf(reports), length),
    )
  }

  geometricMedian(reports: ReportArrays, length = reports.weights.length) {
    const [weights, re, im, result] = this.#takeReports(reports, length)
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
    const [weights, re, im, result] = this.#takeReports(reports, length)
    const [to] = this.#take('i32', length, standing)
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
    const [to] = this.#take('f64', length, phases)
    return this.#store.run(
      (glue) => glue.synthesise_phases(step, start, to, length),
      () => synthesis.synthesisePhases(step, start, phases.values, length),
    )
  }

  synthesiseTone(step: number, start: number, values: KernelArray<Floats>, length = values.length) {
    synthesis.checkSynthesis(step, start)
    const kind = floatsOf(values)
    const [to] = this.#take(kind, length, values)
    return this.#store.run(
      (glue) => (kind === 'f64' ? glue.synthesise_tone_f64 : glue.synthesise_tone_f32)(step, start, to, length),
      () => synthesis.synthesiseTone(step, start, values.values, length),
    )
  }

  breathing(times: F64, depths: F64, length = times.length) {
    const handles = this.#take('f64', length, times, depths)
    this.#store.run(
      (glue) => glue.breathing(...handles, length),
      () => fields.breathing(times.values, depths.values, length),
    )
  }

  harmonicResonance(frequencies: F64, scores: F64, length = frequencies.length) {
    const handles = this.#take('f64', length, frequencies, scores)
    this.#store.run(
      (glue) => glue.harmonic_resonance(...handles, length),
      () => fields.harmonicResonance(frequencies.values, scores.values, length),
    )
  }

  fieldCoherence(values: F64, length = values.length) {
    const handles = this.#take('f64', length, values)
    return this.#store.run(
      (glue) => glue.field_coherence(...handles, length),
      () => fields.fieldCoherence(values.values, length),
    )
  }

  goldenLattice(x: F64, y: F64, length = x.length) {
    const handles = this.#take('f64', length, x, y)
    this.#store.run(
      (glue) => glue.golden_lattice(...handles, length),
      () => fields.goldenLattice(x.values, y.values, length),
    )
  }

  leakyBank(params: LeakyBankParams, precision: Precision = 'f64') {
    return createLeakyBank(this.#store, params, precision)
  }

  goertzelBank(params: GoertzelBankParams, precision: Precision = 'f64') {
    return createGoertzelBank(this.#store, params, precision)
  }

  /** @throws KernelError E_KERNEL_ARRAY, E_KERNEL_LENGTH */
  #take<T extends readonly KernelArray<Floats | Int32Array>[]>(kind: Kind, length: number, ...arrays: T): Handles<T> {
    const handles = arrays.map((array) => {
      require(array instanceof StoredArray && array.kind === kind, 'E_KERNEL_ARRAY')
      return array.handleIn(this.#store)
    })
    require(new Set(arrays).size === arrays.length, 'E_KERNEL_ARRAY')
    require(fits(length, ...arrays), 'E_KERNEL_LENGTH')
    return handles as unknown as Handles<T>
  }

  #takeReports({ weights, re, im }: ReportArrays, length: number) {
    const [ofWeights] = this.#take('f64', length, weights)
    const [ofRe, ofIm] = this.#take('i32', length, re, im)
    const [result] = this.#take('i32', 2, this.#result)
    return [ofWeights, ofRe, ofIm, result] as const
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
