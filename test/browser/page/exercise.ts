import type { CoherenceKernels, KernelArray } from '../../../wasm/index.ts'

/** What kernels make of fixed inputs: the same code runs in Node and in a page. */
export interface Results {
  /** of the kernels that nodes agree by */
  readonly agreement: Record<string, number[]>
  /** of those with trigonometry, in doubles */
  readonly doubles: Record<string, number[]>
  /** likewise in floats */
  readonly floats: Record<string, number[]>
}

const SAMPLES = 1001
const STREAMS = 37
const CHANNELS = 5

export function exercise(kernels: CoherenceKernels): Results {
  return {
    agreement: agreementOf(kernels),
    doubles: { ...signalsOf(kernels, 'f64'), ...smallKernelsOf(kernels) },
    floats: signalsOf(kernels, 'f32'),
  }
}

/** @returns values in [-1, 1) of a 32-bit linear congruential generator: no function that engines may differ in */
function series(length: number, seed: number): Float64Array {
  let state = seed
  return Float64Array.from({ length }, () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) | 0
    return state / 2 ** 31
  })
}

function filled(kernels: CoherenceKernels, width: 'f64' | 'f32', values: Float64Array) {
  const array = kernels[width](values.length)
  array.values.set(values)
  return array as KernelArray<Float64Array>
}

function agreementOf(kernels: CoherenceKernels): Record<string, number[]> {
  const quantised = [1, 2].map((seed) => {
    const [from, to] = [
      filled(
        kernels,
        'f64',
        series(SAMPLES, seed).map((value) => value / 2),
      ),
      kernels.i32(SAMPLES),
    ]
    kernels.quantise(from, to)
    return to
  })
  const [re, im] = quantised as [KernelArray<Int32Array>, KernelArray<Int32Array>]
  const weights = filled(
    kernels,
    'f64',
    series(SAMPLES, 3).map((value) => Math.floor(Math.abs(value) * 1e6)),
  )
  const [reports, standing] = [{ weights, re, im }, kernels.i32(SAMPLES)]
  const { median, agreeingWeight } = kernels.agreement(reports, 2 ** 28, standing)
  const [sum, alone] = [kernels.weightedSum(reports), kernels.geometricMedian(reports)]
  return {
    quantised: [...re.values, ...im.values],
    weightedSum: [sum.re, sum.im],
    geometricMedian: [alone.re, alone.im],
    decision: [median.re, median.im, agreeingWeight, ...standing.values],
  }
}

function signalsOf(kernels: CoherenceKernels, width: 'f64' | 'f32'): Record<string, number[]> {
  const phases = series(SAMPLES, 4).map((value, k) => (k === 500 ? NaN : 6 * value))
  const [a, b] = [filled(kernels, width, phases), filled(kernels, width, phases.toReversed())]
  const [re, im] = [filled(kernels, width, phases), filled(kernels, width, phases)]
  kernels.phasors(a, re, im)
  const matrix = kernels.f64(CHANNELS ** 2)
  kernels.phaseLockingMatrix(a, CHANNELS, Math.floor(SAMPLES / CHANNELS), matrix)
  const tone = filled(kernels, width, phases)
  const next = kernels.synthesiseTone(123_456_789, 42, tone)
  return {
    phasors: [...re.values, ...im.values],
    phaseLocking: [kernels.phaseLocking(a, b)],
    matrix: [...matrix.values],
    tone: [...tone.values, next],
    ...banksOf(kernels, width, phases),
  }
}

function banksOf(kernels: CoherenceKernels, width: 'f64' | 'f32', phases: Float64Array): Record<string, number[]> {
  const steps = Math.floor(SAMPLES / STREAMS)
  const leaky = kernels.leakyBank(
    { form: 'cyclic', lag: 3, streams: STREAMS, maxSteps: steps, omega: 2, step: 0.01, tau: 0.1 },
    width,
  )
  leaky.phases.set(phases.subarray(0, STREAMS * steps))
  leaky.advance(steps)
  const [re, im] = [new Float64Array(STREAMS), new Float64Array(STREAMS)]
  leaky.read(re, im)
  const goertzel = kernels.goertzelBank({ angles: [0, 0.1, 1, 3, 7], maxValues: SAMPLES }, width)
  goertzel.values.set(series(SAMPLES, 5))
  goertzel.transform(SAMPLES)
  return { leaky: [...re, ...im], goertzel: [...goertzel.re, ...goertzel.im] }
}

function smallKernelsOf(kernels: CoherenceKernels): Record<string, number[]> {
  const from = filled(
    kernels,
    'f64',
    series(SAMPLES, 6).map((value) => 1000 * value),
  )
  const [breathing, resonance, phases] = [kernels.f64(SAMPLES), kernels.f64(SAMPLES), kernels.f64(SAMPLES)]
  const [x, y] = [kernels.f64(SAMPLES), kernels.f64(SAMPLES)]
  kernels.breathing(from, breathing)
  kernels.harmonicResonance(from, resonance)
  kernels.goldenLattice(x, y)
  return {
    breathing: [...breathing.values],
    resonance: [...resonance.values],
    fieldCoherence: [kernels.fieldCoherence(from)],
    lattice: [...x.values, ...y.values],
    phases: [kernels.synthesisePhases(987_654_321, 7, phases), ...phases.values],
  }
}
