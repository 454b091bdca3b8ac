import { createHash } from 'node:crypto'
import { globSync, readFileSync } from 'node:fs'
import { join, sep } from 'node:path'
import { WASM } from './engines.ts'
import { wantedBinaryen } from './tools.ts'

/** What the committed modules were built from: sha-256 in hex by path, so that a test without Rust can tell. */
export interface Sources {
  binaryen: string
  /** paths below `wasm/` */
  inputs: Record<string, string>
  /** names in `wasm/modules/` */
  modules: Record<string, string>
}

const INPUTS = ['Cargo.{toml,lock}', 'rust-toolchain.toml', 'crates/*/{Cargo.toml,build.rs}', 'crates/*/{src,proto}/**']
const BUILD = ['build/{engines,compile}.ts']
const MODULES = ['*.{wasm,js,d.ts}']

export const MODULES_FOLDER = join(WASM, 'modules')
export const SOURCES_FILE = 'sources.json'

export function inputsNow(): Omit<Sources, 'modules'> {
  return { binaryen: wantedBinaryen(), inputs: hashes(WASM, [...INPUTS, ...BUILD]) }
}

export function modulesIn(folder: string): Sources['modules'] {
  return hashes(folder, MODULES)
}

function hashes(folder: string, patterns: string[]): Record<string, string> {
  const files = globSync(patterns, { cwd: folder, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) =>
      join(entry.parentPath, entry.name)
        .slice(folder.length + 1)
        .split(sep)
        .join('/'),
    )
    .sort()
  return Object.fromEntries(files.map((file) => [file, sha256(readFileSync(join(folder, file)))]))
}

function sha256(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex')
}
