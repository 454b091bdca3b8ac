import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'

export interface Bundle {
  readonly code: Uint8Array
  /** what went into it, as paths from the root of the checkout */
  readonly sources: readonly string[]
}

/** The light verifier as a page loads it: one minified module. */
export async function bundleLight(): Promise<Bundle> {
  const { outputFiles, metafile } = await build({
    absWorkingDir: fileURLToPath(new URL('../../', import.meta.url)),
    entryPoints: ['consensus/light/index.ts'],
    bundle: true,
    minify: true,
    format: 'esm',
    platform: 'browser',
    target: 'es2022',
    write: false,
    metafile: true,
    logLevel: 'silent',
  })
  return { code: outputFiles[0]!.contents, sources: Object.keys(metafile.inputs) }
}
