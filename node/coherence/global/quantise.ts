import { Q30_ONE, quantise, type QuantisedT } from '../../../wasm/index.ts'
import type { Complex } from '../complex.ts'

export { Q30_ONE, quantise, type QuantisedT }

export function dequantise(value: number): number {
  return value / Q30_ONE
}

/** @throws KernelError E_QUANTISE_RANGE as {@link quantise} */
export function quantiseT(t: Complex): QuantisedT {
  return { re: quantise(t.re), im: quantise(t.im) }
}

export function dequantiseT(t: QuantisedT): Complex {
  return { re: dequantise(t.re), im: dequantise(t.im) }
}
