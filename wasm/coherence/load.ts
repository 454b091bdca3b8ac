import { hasSimd, loadEngine } from './engine.ts'
import { Kernels } from './face.ts'
import type { CoherenceKernels, EngineName } from './kernels.ts'
import { type KernelFault, Store } from './store.ts'

export interface LoadOptions {
  /** default the fastest that this machine runs; `KAIROS_WASM=off` in the environment forces `typescript` */
  readonly engine?: EngineName
  /** folder of the modules, a URL that ends in a slash; default beside this file */
  readonly modules?: URL
  /** told once: of a module that does not load, or of the trap that ended its work; default a warning on the console */
  readonly onFault?: (fault: KernelFault) => void
}

/**
 * Kernels in memory of their own, from wasm where it loads and from TypeScript where not: never fails for want of wasm.
 * In a browser, import this file from where it is served; no bundler is needed.
 */
export async function loadCoherence(options: LoadOptions = {}): Promise<CoherenceKernels> {
  const name =
    environmentOf('KAIROS_WASM') === 'off' ? 'typescript' : (options.engine ?? (hasSimd() ? 'simd' : 'plain'))
  const store = new Store(options.onFault ?? warn)
  if (name !== 'typescript') {
    await loadEngine(name, options.modules).then(
      (engine) => (store.engine = engine),
      (cause: unknown) => store.fault({ kind: 'load', engine: name, cause }),
    )
  }
  return new Kernels(store)
}

function environmentOf(variable: string): string | undefined {
  return (globalThis as { process?: { env?: Record<string, string | undefined> } }).process?.env?.[variable]
}

function warn({ kind, engine, cause }: KernelFault): void {
  const what = kind === 'load' ? `could not be loaded` : `trapped`
  console.warn(`kairos: the coherence module (${engine}) ${what}, TypeScript takes over: ${String(cause)}`)
}
