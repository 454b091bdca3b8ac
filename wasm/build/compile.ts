import { existsSync, readdirSync } from 'node:fs'
import { copyFile, readFile, rm } from 'node:fs/promises'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { moduleName, TARGET, VARIANTS, WASM, WASM_OPT, type Engine, type Variant } from './engines.ts'
import { ask, BuildError, run, rust, say } from './run.ts'
import { wasmOpt } from './tools.ts'

/** Folders of one build: where it works, and where its modules go. */
export interface Folders {
  target: string
  modules: string
}

const BINDGEN = ['--quiet', '--locked', '--package', 'kairos-bindgen']

/** Builds the tool that writes the glue, for this machine. */
export async function buildBindgen(target: string): Promise<void> {
  say('the tool that writes the glue')
  await rust('cargo', ['build', ...BINDGEN, '--target-dir', target])
}

/** Compiles all variants of an engine and writes its modules and their one glue. */
export async function compile(engine: Engine, folders: Folders): Promise<void> {
  for (const variant of engine.variants) await compileVariant(engine, variant, folders)
  for (const extension of ['js', 'd.ts']) await copyGlue(engine, `${engine.name}.${extension}`, folders)
}

async function compileVariant(engine: Engine, variant: Variant, { target, modules }: Folders): Promise<void> {
  const { name } = engine
  say(`${name} (${variant}): cargo, wasm-bindgen, wasm-opt`)
  // A folder for each variant: cargo would forget the one when it builds the other.
  const folder = join(target, variant)
  const crate = ['--package', `kairos-${name}`]
  await rust(
    'cargo',
    ['build', '--quiet', '--release', '--locked', '--target', TARGET, '--target-dir', folder, ...crate],
    {
      CARGO_ENCODED_RUSTFLAGS: [...VARIANTS[variant].rustc, ...remaps(folder)].join('\x1f'),
    },
  )
  const built = join(folder, TARGET, 'release', `kairos_${name}.wasm`)
  const glued = glueFolder(name, variant, target)
  await rm(glued, { recursive: true, force: true })
  await rust('cargo', ['run', ...BINDGEN, '--target-dir', target, '--', built, glued, name])
  const output = join(modules, moduleName(engine, variant))
  const flags = [...WASM_OPT, ...VARIANTS[variant].wasmOpt]
  await run(process.execPath, [wasmOpt(), ...flags, join(glued, `${name}_bg.wasm`), '-o', output])
}

/** The caller loads either module through the same glue, so that of every variant must be the same. */
async function copyGlue({ name, variants }: Engine, file: string, { target, modules }: Folders): Promise<void> {
  const paths = variants.map((variant) => join(glueFolder(name, variant, target), file))
  const [first, ...others] = await Promise.all(paths.map((path) => readFile(path)))
  if (others.some((other) => !other.equals(first!))) {
    throw new BuildError(`${file} differs between ${variants.join(' and ')}: their exports must be the same`)
  }
  await copyFile(paths[0]!, join(modules, file))
}

function glueFolder(name: string, variant: Variant, target: string): string {
  return join(target, 'glue', `${name}.${variant}`)
}

/**
 * Panic messages name source files. These flags give every folder of this machine a fixed name, so that
 * the bytes are the same in any checkout. Of two flags that match, the compiler takes the later one.
 */
function remaps(target: string): string[] {
  const cargo = process.env['CARGO_HOME'] ?? join(homedir(), '.cargo')
  const registry = join(cargo, 'registry/src')
  // Their names depend on where this machine gets crates from.
  const sources = existsSync(registry) ? readdirSync(registry).map((name) => join(registry, name)) : []
  const sysroot = ask('rustc', ['--print', 'sysroot']) ?? ''
  const commit = /^commit-hash: (.+)$/m.exec(ask('rustc', ['-vV']) ?? '')?.[1] ?? ''
  const fixed = [
    [WASM, '/ws'],
    [target, '/target'],
    [cargo, '/cargo'],
    ...sources.map((folder) => [folder, '/cargo/registry/src/crates']),
    // Where the component rust-src is installed, its files stand for the name that std was built under.
    [join(sysroot, 'lib/rustlib/src/rust'), `/rustc/${commit}`],
  ]
  return fixed.map(([from, to]) => `--remap-path-prefix=${from}=${to}`)
}
