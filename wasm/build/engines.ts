import { join } from 'node:path'

export interface Engine {
  /** of the crate folder `crates/NAME`, whose package is `kairos-NAME`, and of its modules */
  name: string
  /** the first gives `NAME.wasm`, another `NAME.VARIANT.wasm`; all share one glue */
  variants: readonly [Variant, ...Variant[]]
  /** commands besides Rust that its build calls */
  needs?: readonly Need[]
}

export type Variant = keyof typeof VARIANTS
export type Need = 'protoc'

export const ENGINES: readonly Engine[] = [
  { name: 'coherence', variants: ['plain', 'simd'] },
  { name: 'raft', variants: ['plain'], needs: ['protoc'] },
  { name: 'bft', variants: ['plain', 'tokens'] },
]

// What Node 20 and browsers run. Never --all-features, whose result Node refuses; relaxed-simd showed no gain.
export const VARIANTS = {
  plain: { rustc: [], wasmOpt: [] },
  simd: { rustc: ['-Ctarget-feature=+simd128'], wasmOpt: ['--enable-simd'] },
  // For simulations only, and not shipped: what stands for a signature there is a cheap hash.
  tokens: { rustc: ['--cfg=kairos_tokens'], wasmOpt: [] },
}

export const WASM_OPT = [
  '-O3',
  '--enable-bulk-memory',
  '--enable-sign-ext',
  '--enable-mutable-globals',
  '--enable-nontrapping-float-to-int',
  '--enable-reference-types',
  '--enable-multivalue',
]

export const WASM = join(import.meta.dirname, '..')
export const TARGET = 'wasm32-unknown-unknown'

export function moduleName({ name, variants }: Engine, variant: Variant): string {
  return variant === variants[0] ? `${name}.wasm` : `${name}.${variant}.wasm`
}
