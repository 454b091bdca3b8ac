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

/** The address of a cell that no program of Rust's uses: below its stack. */
const FUEL = 16

const BURN = `
  (if (i32.load (i32.const ${FUEL})) (then
    (i32.store (i32.const ${FUEL}) (i32.sub (i32.load (i32.const ${FUEL})) (i32.const 1)))
    (if (i32.eqz (i32.load (i32.const ${FUEL}))) (then (unreachable)))))\n`

/** Every function that is entered and every turn of a loop takes one from the fuel; the last one traps. */
export const burning: Edit = (text) =>
  text
    .replaceAll(/^ \(func .*\n(?: {2}\(local .*\n)*/gm, (head) => head + BURN)
    .replaceAll(/^ *\(loop .*\n/gm, (head) => head + BURN)

/** Lets a burning module trap after `fuel` steps from now; `view` is any of its memory. */
export function setFuel(view: ArrayBufferView, fuel: number): void {
  new Int32Array(view.buffer)[FUEL / 4] = fuel
}

/** Memory that cannot grow beyond `pages` of 2^16 bytes. */
export const limitedTo =
  (pages: number): Edit =>
  (text) =>
    text.replace(/\(memory (\$\d+) (\d+)\)/, `(memory $1 $2 ${pages})`)

/** Whatever an export is for, it traps once its work is done. */
export const trappingAfter =
  (name: string): Edit =>
  (text) => {
    const [, target = ''] = new RegExp(`\\(export "${name}" \\(func (\\$\\d+)\\)\\)`).exec(text) ?? []
    const [, head = ''] = new RegExp(`^ \\(func \\${target}((?: \\(param [^)]*\\))*)`, 'm').exec(text) ?? []
    const passed = [...head.matchAll(/\(param (\$\d+) /g)].map(([, param]) => `(local.get ${param})`).join(' ')
    return text
      .replace(`(export "${name}" (func ${target}))`, `(export "${name}" (func $trap_after))`)
      .replace(/\)\s*$/, ` (func $trap_after${head} (call ${target} ${passed}) (unreachable)))\n`)
  }
