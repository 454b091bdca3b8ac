import { globSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { ENGINES, TARGET, VARIANTS, WASM } from './engines.ts'
import { ask, main, rust, say } from './run.ts'
import { missingCheckTools, requireTools } from './tools.ts'

const STRICT = ['--', '--deny', 'warnings']
/** Inputs that a fuzz target is given: some seconds each. */
const FUZZ_RUNS = 100_000

await main('check:wasm', async () => {
  const fuzzed = globSync('crates/*/fuzz', { cwd: WASM })
  requireTools([...missingCheckTools(), ...(fuzzed.length > 0 ? missingFuzzTools() : [])])
  say('cargo fmt')
  await rust('cargo', ['fmt', '--all', '--check'])
  say('clippy for this machine')
  await rust('cargo', ['clippy', '--quiet', '--locked', '--workspace', '--all-targets', ...STRICT])
  for (const { name, variants } of ENGINES) {
    for (const variant of variants) await lintModule(name, variant)
  }
  say('cargo test')
  await rust('cargo', ['test', '--quiet', '--locked', '--workspace', '--exclude', 'kairos-bindgen'])
  if (fuzzed.length === 0) say('fuzz: no targets; cargo test mutates what the decoders are given')
  for (const folder of fuzzed) await fuzz(folder)
})

async function lintModule(name: string, variant: keyof typeof VARIANTS): Promise<void> {
  say(`clippy for ${name} (${variant})`)
  const where = ['--target', TARGET, '--target-dir', join('target', variant), '--package', `kairos-${name}`]
  await rust('cargo', ['clippy', '--quiet', '--locked', ...where, ...STRICT], {
    CARGO_ENCODED_RUSTFLAGS: VARIANTS[variant].rustc.join('\x1f'),
  })
}

async function fuzz(folder: string): Promise<void> {
  const files = readdirSync(join(WASM, folder, 'fuzz_targets')).filter((file) => file.endsWith('.rs'))
  for (const target of files.map((file) => file.slice(0, -'.rs'.length))) {
    say(`fuzz ${folder}: ${target}`)
    const args = ['fuzz', 'run', '--fuzz-dir', folder, target, '--', `-runs=${FUZZ_RUNS}`]
    await rust('cargo', args, { RUSTUP_TOOLCHAIN: 'nightly' })
  }
}

function missingFuzzTools(): string[] {
  const nightly = { ...process.env, RUSTUP_TOOLCHAIN: 'nightly', RUSTUP_AUTO_INSTALL: '0' }
  if (ask('rustc', ['--version'], nightly) === undefined) return ['Rust nightly: rustup toolchain install nightly']
  const found = ask('cargo', ['fuzz', '--version'], nightly)
  return found === undefined ? ['cargo-fuzz: cargo +nightly install cargo-fuzz --locked'] : []
}
