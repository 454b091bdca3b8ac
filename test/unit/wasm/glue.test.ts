import { expect } from 'chai'
import type * as Glue from '../../../wasm/modules/coherence.js'
import { builtModule, FILES } from './patched.ts'

let instances = 0

/** The glue by itself, around an instance of its own. */
async function instance(name: keyof typeof FILES): Promise<typeof Glue> {
  const url = new URL(`../../../wasm/modules/coherence.js?test=${++instances}`, import.meta.url)
  const glue = (await import(url.href)) as typeof Glue
  glue.initSync({ module: builtModule(name) as Uint8Array<ArrayBuffer> })
  return glue
}

function thrownBy(work: () => unknown): unknown {
  try {
    work()
  } catch (thrown) {
    return thrown
  }
  return undefined
}

/** Lengths as they arrive: wasm takes any number modulo 2^32, so these are beyond every array. */
const LENGTHS = [9, -1, 2 ** 31, 2 ** 32 - 1, -(2 ** 31)]

for (const name of ['simd', 'plain'] as const) {
  describe(`wasm coherence: the exports by themselves (${name})`, () => {
    let glue: typeof Glue
    before(async () => (glue = await instance(name)))

    const f64 = (length = 8) => new glue.F64Array(length)
    const f32 = (length = 8) => new glue.F32Array(length)
    const i32 = (length = 8) => new glue.I32Array(length)
    const calls = (): Record<string, (length: number) => unknown> => ({
      phasors_f64: (length) => glue.phasors_f64(f64(), f64(), f64(), length),
      phasors_f32: (length) => glue.phasors_f32(f32(), f32(), f32(), length),
      phase_locking_f64: (length) => glue.phase_locking_f64(f64(), f64(), length),
      phase_locking_f32: (length) => glue.phase_locking_f32(f32(), f32(), length),
      phase_locking_matrix_f64: (length) => glue.phase_locking_matrix_f64(f64(), 2, length, f64()),
      phase_locking_matrix_f32: (length) => glue.phase_locking_matrix_f32(f32(), 2, length, f64()),
      quantise: (length) => glue.quantise(f64(), i32(), length),
      weighted_sum: (length) => glue.weighted_sum(f64(), i32(), i32(), length, i32()),
      geometric_median: (length) => glue.geometric_median(f64(), i32(), i32(), length, i32()),
      decision: (length) => glue.decision(f64(), i32(), i32(), length, 5, i32(), i32()),
      synthesise_phases: (length) => glue.synthesise_phases(1, 2, f64(), length),
      synthesise_tone_f64: (length) => glue.synthesise_tone_f64(1, 2, f64(), length),
      synthesise_tone_f32: (length) => glue.synthesise_tone_f32(1, 2, f32(), length),
      breathing: (length) => glue.breathing(f64(), f64(), length),
      harmonic_resonance: (length) => glue.harmonic_resonance(f64(), f64(), length),
      field_coherence: (length) => glue.field_coherence(f64(), length),
      golden_lattice: (length) => glue.golden_lattice(f64(), f64(), length),
    })

    it('every kernel refuses lengths beyond its arrays, as a code', () => {
      for (const [kernel, call] of Object.entries(calls())) {
        for (const length of LENGTHS)
          expect(
            thrownBy(() => call(length)),
            `${kernel} ${length}`,
          ).to.equal('E_KERNEL_LENGTH')
        expect(
          thrownBy(() => call(0)),
          kernel,
        ).to.equal(undefined)
      }
    })

    it('every kernel refuses arrays shorter than the first', () => {
      const long: unknown[] = [
        thrownBy(() => glue.phasors_f64(f64(), f64(7), f64(), 8)),
        thrownBy(() => glue.phasors_f64(f64(), f64(), f64(7), 8)),
        thrownBy(() => glue.phase_locking_f32(f32(), f32(7), 8)),
        thrownBy(() => glue.phase_locking_matrix_f64(f64(), 4, 2, f64(15))),
        thrownBy(() => glue.quantise(f64(), i32(7), 8)),
        thrownBy(() => glue.weighted_sum(f64(), i32(7), i32(), 8, i32())),
        thrownBy(() => glue.weighted_sum(f64(), i32(), i32(), 8, i32(1))),
        thrownBy(() => glue.geometric_median(f64(), i32(), i32(), 8, i32(1))),
        thrownBy(() => glue.decision(f64(), i32(), i32(), 8, 5, i32(7), i32())),
        thrownBy(() => glue.decision(f64(), i32(), i32(), 8, 5, i32(), i32(1))),
        thrownBy(() => glue.golden_lattice(f64(), f64(7), 8)),
      ]
      expect(new Set(long)).to.deep.equal(new Set(['E_KERNEL_LENGTH']))
    })

    it('sizes and parameters out of range, as codes', () => {
      for (const length of [-1, 2 ** 27 + 1, 2 ** 31, 2 ** 32 - 1]) {
        for (const make of [f64, f32, i32]) expect(thrownBy(() => make(length))).to.equal('E_KERNEL_MEMORY')
      }
      for (const channels of [0, 4097, -1, 2 ** 31]) {
        expect(thrownBy(() => glue.phase_locking_matrix_f64(f64(), channels, 1, f64()))).to.equal('E_KERNEL_RANGE')
      }
      for (const length of [2 ** 31, 2 ** 32 - 1]) {
        expect(thrownBy(() => glue.phase_locking_matrix_f64(f64(), 4096, length, f64()))).to.equal('E_KERNEL_LENGTH')
      }
      for (const threshold of [-1, 2 ** 30 + 1, 2 ** 31]) {
        const act = () => glue.decision(f64(), i32(), i32(), 8, threshold, i32(), i32())
        expect(thrownBy(act)).to.equal('E_KERNEL_RANGE')
      }
    })

    it('absurd banks, and what a bank cannot do, as codes', () => {
      for (const Bank of [glue.LeakyBankF64, glue.LeakyBankF32]) {
        const made = (form = 0, streams = 2, steps = 3, lag = 0, omega = 1, step = 1, tau = 1) =>
          thrownBy(() => new Bank(form, streams, steps, lag, omega, step, tau))
        const range = [made(3), made(1), made(0, 0), made(0, 2 ** 20 + 1), made(0, -1), made(0, 2, 0), made(0, 2, 3, 1)]
        for (const bad of [NaN, Infinity]) {
          range.push(made(0, 2, 3, 0, bad), made(0, 2, 3, 0, 1, bad), made(0, 2, 3, 0, 1, 1, bad))
        }
        range.push(made(0, 2, 3, 0, 1, 0), made(0, 2, 3, 0, 1, 1, -1), made(1, 2, 3, 0))
        expect(new Set(range)).to.deep.equal(new Set(['E_KERNEL_RANGE']))
        const memory = [made(0, 2 ** 20, 2 ** 31), made(0, 2, 2 ** 31), made(0, 1, 2 ** 32 - 1), made(1, 3, 3, 2 ** 31)]
        expect(new Set(memory)).to.deep.equal(new Set(['E_KERNEL_MEMORY']))
        const bank = new Bank(0, 2, 3, 0, 1, 1, 1)
        for (const steps of [4, -1, 2 ** 31]) expect(thrownBy(() => bank.advance(steps, 0))).to.equal('E_KERNEL_LENGTH')
        for (const count of [-1, 0.5, NaN, Infinity, 2 ** 53]) {
          expect(
            thrownBy(() => bank.advance(1, count)),
            `${count}`,
          ).to.equal('E_KERNEL_RANGE')
        }
        expect(thrownBy(() => bank.advance(3, 0))).to.equal(undefined)
      }
      for (const Bank of [glue.GoertzelBankF64, glue.GoertzelBankF32]) {
        const bad = f64(2)
        new Float64Array(memoryOf(glue), bad.pointer, 2).fill(NaN)
        const range = [f64(0), f64(2 ** 16 + 1), bad].map((angles) => thrownBy(() => new Bank(angles, 5)))
        range.push(thrownBy(() => new Bank(f64(), 0)))
        expect(new Set(range)).to.deep.equal(new Set(['E_KERNEL_RANGE']))
        for (const length of [2 ** 27 + 1, -1])
          expect(thrownBy(() => new Bank(f64(), length))).to.equal('E_KERNEL_MEMORY')
        const bank = new Bank(f64(), 5)
        for (const length of [6, -1]) expect(thrownBy(() => bank.transform(length))).to.equal('E_KERNEL_LENGTH')
        expect(thrownBy(() => bank.transform(5))).to.equal(undefined)
      }
    })

    it('freed, foreign and doubled arrays are an error and never a trap; all others work on', () => {
      const [freed, one] = [f64(), f64()]
      freed.free()
      const mistakes = [
        () => glue.phasors_f64(freed, f64(), f64(), 1),
        () => glue.phasors_f64(f64(), one, one, 1),
        () => glue.phasors_f64(f64(), i32() as never, f64(), 1),
        () => glue.phase_locking_f64(f64(), f32() as never, 1),
        () => glue.quantise(null as never, i32(), 1),
        () => freed.pointer,
      ]
      for (const mistake of mistakes) {
        const thrown = thrownBy(mistake)
        expect(thrown, String(mistake)).to.be.instanceOf(Error)
        expect((thrown as Error).name, String(mistake)).not.to.equal('RuntimeError')
      }
      for (const call of Object.values(calls())) expect(thrownBy(() => call(4))).to.equal(undefined)
    })
  })
}

function memoryOf(glue: typeof Glue): ArrayBuffer {
  // Already started: the glue answers with what it has.
  return glue.initSync({ module: new Uint8Array() }).memory.buffer as ArrayBuffer
}
