import binaryen from 'binaryen'
import { readFileSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'

const BUILT = new URL('../../../wasm/modules/', import.meta.url)
export const FILES = { simd: 'coherence.simd.wasm', plain: 'coherence.wasm' } as const

export function builtModule(name: keyof typeof FILES): Uint8Array {
  return readFileSync(new URL(FILES[name], BUILT))
}

/** Runs `work` with a folder that holds these modules in place of the built ones. */
export async function withModules<R>(
  modules: Partial<Record<keyof typeof FILES, Uint8Array>>,
  work: (folder: URL) => Promise<R>,
): Promise<R> {
  const folder = await mkdtemp(join(tmpdir(), 'kairos-modules-'))
  try {
    for (const [name, bytes] of Object.entries(modules)) {
      await writeFile(join(folder, FILES[name as keyof typeof FILES]), bytes)
    }
    return await work(pathToFileURL(`${folder}/`))
  } finally {
    await rm(folder, { recursive: true })
  }
}

type Edit = (text: string) => string

/** The built module with its text edited. */
export function patched(name: keyof typeof FILES, ...edits: readonly Edit[]): Uint8Array {
  const built = binaryen.readBinary(builtModule(name))
  const features = built.getFeatures()
  const changed = binaryen.parseText(edits.reduce((text, edit) => edit(text), built.emitText()))
  changed.setFeatures(features)
  const bytes = changed.emitBinary()
  built.dispose()
  changed.dispose()
  return bytes
}
