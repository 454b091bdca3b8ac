import type * as Glue from '../modules/coherence.js'
import type { EngineName } from './kernels.ts'

/** A module at work: what it exports, and its memory. */
export interface Engine {
  readonly name: Exclude<EngineName, 'typescript'>
  readonly glue: typeof Glue
  readonly memory: WebAssembly.Memory
}

const MODULES = new URL('../modules/', import.meta.url)
const FILES = { simd: 'coherence.simd.wasm', plain: 'coherence.wasm' } as const

// (module (func (result v128) (v128.const i32x4 0 0 0 0)))
const SIMD_PROBE = new Uint8Array([
  0, 97, 115, 109, 1, 0, 0, 0, 1, 5, 1, 96, 0, 1, 123, 3, 2, 1, 0, 10, 22, 1, 20, 0, 253, 12, 0, 0, 0, 0, 0, 0, 0, 0, 0,
  0, 0, 0, 0, 0, 0, 0, 11,
])

export function hasSimd(): boolean {
  return WebAssembly.validate(SIMD_PROBE)
}

let loaded = 0

/**
 * A fresh instance, in memory of its own.
 *
 * @param modules - folder of the modules, a URL that ends in a slash
 * @throws whatever fetching, reading, compiling or starting it throws
 */
export async function loadEngine(name: Engine['name'], modules: URL = MODULES): Promise<Engine> {
  // The glue keeps its instance in its own scope: one evaluation an instance, told apart by the query.
  const glueUrl = new URL(`coherence.js?instance=${++loaded}`, MODULES)
  const [glue, bytes] = await Promise.all([
    import(glueUrl.href) as Promise<typeof Glue>,
    readModule(new URL(FILES[name], modules)),
  ])
  const { memory } = glue.initSync({ module: await WebAssembly.compile(bytes) })
  return { name, glue, memory }
}

async function readModule(url: URL): Promise<BufferSource> {
  if (url.protocol === 'file:') return new Uint8Array(await (await import('node:fs/promises')).readFile(url))
  const response = await fetch(url)
  if (!response.ok) throw new Error(`${url.href} answers ${response.status}`)
  return response.arrayBuffer()
}
