import type { Floats, KernelArray, Precision } from '../../wasm/index.ts'
import { ARRAYS, arrayOf, many, phasesOf, random, type KernelCase } from './kernels-case.ts'
import { ofReports, small } from './kernels-small-cases.ts'
import { BlockedMatrix, FoldedGoertzel } from './kernels-typescript-banks.ts'
import * as tuned from './kernels-typescript.ts'

type Maker = (precision: Precision, ...size: number[]) => KernelCase

const OMEGA = 2
const STEP = 0.01
const TAU = 0.5

const PRECISIONS = ['f32', 'f64'] as const

const phaseLocking: Maker = (precision, length = 0) => {
  const [a, b] = [phasesOf(precision, length, 1), phasesOf(precision, length, 2)]
  // Halfway between noise and locking, so that no sum is lost in rounding.
  for (let k = 0; k < length; k++) b[k] = a[k]! + b[k]! / 2
  return {
    id: `phase-locking value, ${precision}`,
    size: many(length, 'sample'),
    items: length,
    item: 'sample',
    make(kernels) {
      const [inA, inB] = [arrayOf(kernels, precision, a), arrayOf(kernels, precision, b)]
      let value = 0
      const run = () => void (value = kernels.phaseLocking(inA, inB))
      const runCopied = () => {
        inA.values.set(a)
        inB.values.set(b)
        run()
      }
      return { run, runCopied, result: () => [value] }
    },
    makeTuned() {
      const work = precision === 'f32' ? tuned.phaseLockingFloats : tuned.phaseLockingDoubles
      let value = 0
      return { run: () => void (value = work(a, b, length)), result: () => [value] }
    },
  }
}

const leaky: Maker = (precision, streams = 0, steps = 0) => {
  const phases = phasesOf(precision, streams * steps, 3)
  return {
    id: `leaky update from phases, ${precision}`,
    size: `${many(streams, 'stream')} × ${many(steps, 'step')}`,
    items: streams * steps,
    item: 'sample',
    make(kernels) {
      const bank = kernels.leakyBank({ streams, maxSteps: steps, omega: OMEGA, step: STEP, tau: TAU }, precision)
      const [re, im] = [new Float64Array(streams), new Float64Array(streams)]
      bank.phases.set(phases)
      const run = () => bank.advance(steps)
      const runCopied = () => {
        bank.phases.set(phases)
        run()
        bank.read(re, im)
      }
      return { run, runCopied, result: () => (bank.read(re, im), [...re, ...im]) }
    },
    makeTuned() {
      const leak = precision === 'f32' ? tuned.leakFloats : tuned.leakDoubles
      const sums = { re: new Float64Array(streams), im: new Float64Array(streams) }
      const decay = Math.exp(-STEP / TAU)
      let count = 0
      const run = () => {
        for (let row = 0; row < steps; row++) {
          leak(phases, row * streams, (OMEGA * STEP * count++) % (2 * Math.PI), decay, sums)
        }
      }
      return { run, result: () => [...sums.re, ...sums.im].map((sum) => (1 - decay) * sum) }
    },
  }
}

const goertzel: Maker = (precision, frequencies = 0, length = 0) => {
  const values = ARRAYS[precision].from(random(length, -1, 1))
  const angles = Array.from({ length: frequencies }, (_, f) => (Math.PI * (f + 1)) / (frequencies + 1))
  return {
    id: `Goertzel bank, ${precision}`,
    size: `${many(frequencies, 'frequency', 'frequencies')} × ${many(length, 'sample')}`,
    items: frequencies * length,
    item: 'frequency and sample',
    make(kernels) {
      const bank = kernels.goertzelBank({ angles, maxValues: length }, precision)
      bank.values.set(values)
      const run = () => bank.transform(length)
      const runCopied = () => {
        bank.values.set(values)
        run()
      }
      return { run, runCopied, result: () => [...bank.re, ...bank.im] }
    },
    makeTuned() {
      const bank = new FoldedGoertzel(angles, length)
      const result = () => [...bank.re.subarray(0, frequencies), ...bank.im.subarray(0, frequencies)]
      return { run: () => bank.transform(values, length), result }
    },
  }
}

const matrix: Maker = (precision, channels = 0, length = 0) => {
  const [common, own] = [phasesOf(precision, length, 4), phasesOf(precision, channels * length, 5)]
  const phases = own.map((phase, k) => common[k % length]! + phase / 2)
  return {
    id: `phase-locking matrix, ${precision}`,
    size: `${channels} channels × ${many(length, 'sample')}`,
    items: (channels * (channels + 1) * length) / 2,
    item: 'pair and sample',
    make(kernels) {
      const [from, to] = [arrayOf(kernels, precision, phases), kernels.f64(channels ** 2)]
      const out = new Float64Array(channels ** 2)
      const run = () => kernels.phaseLockingMatrix(from, channels, length, to)
      const runCopied = () => {
        from.values.set(phases)
        run()
        out.set(to.values)
      }
      return { run, runCopied, result: () => to.values }
    },
    makeTuned() {
      const work = new BlockedMatrix(precision === 'f32' ? tuned.phasorsFloats : tuned.phasorsDoubles, channels)
      const values = new Float64Array(channels ** 2)
      return { run: () => work.compute(phases, length, values), result: () => values }
    },
  }
}

const phasors: Maker = (precision, length = 0) => {
  const phases = phasesOf(precision, length, 6)
  const [outRe, outIm] = [new ARRAYS[precision](length), new ARRAYS[precision](length)]
  return {
    id: `phasors, ${precision}`,
    size: many(length, 'sample'),
    items: length,
    item: 'sample',
    make(kernels) {
      const from = arrayOf(kernels, precision, phases)
      const [re, im] = [kernels[precision](length), kernels[precision](length)] as KernelArray<Floats>[]
      const run = () => kernels.phasors(from, re!, im!)
      const runCopied = () => {
        from.values.set(phases)
        run()
        outRe.set(re!.values)
        outIm.set(im!.values)
      }
      return { run, runCopied, result: () => [...re!.values, ...im!.values] }
    },
    makeTuned() {
      const work = precision === 'f32' ? tuned.phasorsFloats : tuned.phasorsDoubles
      return { run: () => work(phases, outRe, outIm, length), result: () => [...outRe, ...outIm] }
    },
  }
}

const tone: Maker = (precision, length = 0) => {
  const step = Math.round((440 * 2 ** 32) / 48_000)
  const out = new ARRAYS[precision](length)
  return {
    id: `tone, ${precision}`,
    size: many(length, 'sample'),
    items: length,
    item: 'sample',
    make(kernels) {
      const values: KernelArray<Floats> = kernels[precision](length)
      const run = () => void kernels.synthesiseTone(step, 0, values)
      const runCopied = () => {
        run()
        out.set(values.values)
      }
      return { run, runCopied, result: () => values.values }
    },
    makeTuned: () => ({ run: () => tuned.synthesiseTone(step, 0, out, length), result: () => out }),
  }
}

const both = (make: Maker, ...size: number[]) => PRECISIONS.map((precision) => () => make(precision, ...size))
const asked = (target: number, cases: (() => KernelCase)[]) => cases.map((make) => () => ({ ...make(), target }))

/** Those with a target, then the other kernels, then sizes at which a call costs more than it brings. */
export const CASES: readonly (() => KernelCase)[] = [
  ...asked(10, both(phaseLocking, 65_536)),
  ...asked(10, both(leaky, 1024, 256)),
  ...asked(8, both(goertzel, 64, 4096)),
  ...asked(4, both(matrix, 64, 4096)),
  ...both(phasors, 65_536),
  ...both(tone, 65_536),
  () => small('breathing rhythm', 65_536, (kernels, [times, depths]) => kernels.breathing(times!, depths!)),
  () => small('harmonic resonance', 65_536, (kernels, [from, to]) => kernels.harmonicResonance(from!, to!)),
  () => small('field coherence', 65_536, (kernels, [values]) => kernels.fieldCoherence(values!)),
  () => small('golden-angle lattice', 65_536, (kernels, [x, y]) => kernels.goldenLattice(x!, y!)),
  () => ofReports('weighted sum', 1000, (kernels, reports) => kernels.weightedSum(reports)),
  () => ofReports('geometric median', 1000, (kernels, reports) => kernels.geometricMedian(reports)),
  () => ofReports('weighted sum', 9, (kernels, reports) => kernels.weightedSum(reports)),
  () => ofReports('geometric median', 9, (kernels, reports) => kernels.geometricMedian(reports)),
  ...both(phaseLocking, 256),
  ...both(phaseLocking, 16),
  ...both(leaky, 1, 256),
  ...both(goertzel, 1, 256),
]
