import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { ENGINES, TARGET, WASM, type Need } from './engines.ts'
import { ask, BuildError, bundledProtoc, pinnedRust } from './run.ts'

const HOW_TO_GET: Record<Need, string> = {
  protoc: 'install the Protocol Buffers compiler (Debian: apt install protobuf-compiler; macOS: brew install protobuf)',
}

/** @throws {BuildError} with one line for each tool that is missing */
export function requireTools(missing: string[]): void {
  if (missing.length > 0) throw new BuildError(['tools are missing', ...new Set(missing)].join('\n  '))
}

/** @returns one line for each tool of the build that is missing, saying how to get it */
export function missingTools(): string[] {
  const rust = missingRust()
  return [...rust, ...missingBinaryen(), ...(rust.length > 0 ? [] : missingNeeds())]
}

/** @returns one line for each tool of the checks that is missing */
export function missingCheckTools(): string[] {
  const rust = missingRust()
  if (rust.some((line) => line.startsWith('Rust '))) return rust
  const absent = ['clippy', 'fmt'].filter((name) => ask('cargo', [name, '--version']) === undefined)
  const add = `rustup component add --toolchain ${pinnedRust()}`
  return [...rust, ...absent.map((name) => `${name}: ${add} ${name === 'fmt' ? 'rustfmt' : name}`)]
}

function missingNeeds(): string[] {
  const needs = new Set(ENGINES.flatMap(({ needs = [] }) => needs))
  const isAbsent = (need: Need) => bundledProtoc() === undefined && ask(need, ['--version'], process.env) === undefined
  return [...needs].filter(isAbsent).map((need) => `${need}: ${HOW_TO_GET[need]}`)
}

function missingRust(): string[] {
  const pinned = pinnedRust()
  const install = `rustup toolchain install ${pinned} --profile minimal --component clippy,rustfmt --target ${TARGET}`
  const found = ['cargo', 'rustc'].map((command) => ask(command, ['--version'])?.split(' ')[1])
  if (found.every((version) => version === undefined) && ask('rustup', ['--version']) === undefined) {
    return [`Rust ${pinned}: get rustup from https://rustup.rs, then ${install}`]
  }
  if (found.some((version) => version !== pinned)) return [`Rust ${pinned}: ${install}`]
  const library = ask('rustc', ['--print', 'target-libdir', '--target', TARGET])
  if (library !== undefined && existsSync(library)) return []
  return [`${TARGET}: rustup target add --toolchain ${pinned} ${TARGET}`]
}

function missingBinaryen(): string[] {
  const wanted = wantedBinaryen()
  const folder = binaryenFolder()
  const found = folder === undefined ? undefined : versionIn(folder)
  if (found === wanted) return []
  return [`binaryen ${wanted}: npm install${found === undefined ? '' : ` (there is ${found})`}`]
}

/** @returns the exact version of package.json: another one writes other bytes */
export function wantedBinaryen(): string {
  const file = readFileSync(join(WASM, '../package.json'), 'utf8')
  return (JSON.parse(file) as { devDependencies: { binaryen: string } }).devDependencies.binaryen
}

/** @returns the path of `wasm-opt`, a script for Node */
export function wasmOpt(): string {
  return join(binaryenFolder() ?? '', 'bin/wasm-opt')
}

function binaryenFolder(): string | undefined {
  try {
    return dirname(fileURLToPath(import.meta.resolve('binaryen')))
  } catch {
    return undefined
  }
}

function versionIn(folder: string): string {
  return (JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as { version: string }).version
}
