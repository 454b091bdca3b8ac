import { instantiate } from '../instantiate.ts'
import type * as Glue from '../modules/coherence.js'
import type { EngineName } from './kernels.ts'

/** A module at work: what it exports, and its memory. */
export interface Engine {
  readonly name: Exclude<EngineName, 'typescript'>
  readonly glue: typeof Glue
  readonly memory: WebAssembly.Memory
}

const FILES = { simd: 'coherence.simd.wasm', plain: 'coherence.wasm' } as const

// (module (func (result v128) (v128.const i32x4 0 0 0 0)))
const SIMD_PROBE = new Uint8Array([
  0, 97, 115, 109, 1, 0, 0, 0, 1, 5, 1, 96, 0, 1, 123, 3, 2, 1, 0, 10, 22, 1, 20, 0, 253, 12, 0, 0, 0, 0, 0, 0, 0, 0, 0,
  0, 0, 0, 0, 0, 0, 0, 11,
])

export function hasSimd(): boolean {
  return WebAssembly.validate(SIMD_PROBE)
}

/** A fresh instance, in memory of its own. @throws as {@link instantiate} */
export async function loadEngine(name: Engine['name'], modules?: URL): Promise<Engine> {
  return { name, ...(await instantiate<typeof Glue>('coherence', FILES[name], modules)) }
}
