import { spawn, spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { WASM } from './engines.ts'

/** Something that the person at the keyboard can mend; its message is all that is shown. */
export class BuildError extends Error {
  override name = 'BuildError'
}

/** @returns the release that `rust-toolchain.toml` pins, such as 1.95.0 */
export function pinnedRust(): string {
  const pinned = /^channel = "(.+)"$/m.exec(readFileSync(join(WASM, 'rust-toolchain.toml'), 'utf8'))?.[1]
  if (pinned === undefined) throw new BuildError('wasm/rust-toolchain.toml names no channel')
  return pinned
}

/**
 * Runs a Rust command in `wasm/`; what it prints goes to stderr.
 *
 * @throws {BuildError} when it ends with anything but 0
 */
export async function rust(command: string, args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<void> {
  const PROTOC = bundledProtoc()
  await run(command, args, { ...rustEnvironment(), ...(PROTOC === undefined ? {} : { PROTOC }), ...env })
}

/** @returns what it prints, `undefined` when it is not there or fails */
export function ask(command: string, args: readonly string[], env = rustEnvironment()): string | undefined {
  const { status, stdout } = spawnSync(command, args, { cwd: WASM, env, encoding: 'utf8', maxBuffer: 2 ** 28 })
  return status === 0 ? stdout.trim() : undefined
}

export async function run(command: string, args: readonly string[], env = process.env): Promise<void> {
  const child = spawn(command, args, { cwd: WASM, env, stdio: ['ignore', 2, 2] })
  const ended = await new Promise<string>((resolve) => {
    child.once('error', ({ message }) => resolve(message))
    child.once('exit', (code, signal) => resolve(code === 0 ? '' : `ended with ${code ?? signal}, see above`))
  })
  if (ended !== '') throw new BuildError(`${[command, ...args].join(' ')}: ${ended}`)
}

/** What the crate below calls its compilers, by platform and processor as Node names them. */
const PROTOCS: Record<string, string> = {
  'linux x64': 'protoc-linux-x86_64',
  'linux arm64': 'protoc-linux-aarch_64',
  'darwin x64': 'protoc-osx-x86_64',
  'darwin arm64': 'protoc-osx-x86_64',
  'win32 x64': 'protoc-win32.exe',
}
let protoc: { readonly path: string | undefined } | undefined

/**
 * The Protocol Buffers compiler that the locked crate `protobuf-build` brings along: nobody has to install one.
 *
 * @returns undefined where it brings none, or there is no cargo
 */
export function bundledProtoc(): string | undefined {
  protoc ??= { path: findProtoc(PROTOCS[`${process.platform} ${process.arch}`]) }
  return protoc.path
}

function findProtoc(name: string | undefined): string | undefined {
  const metadata = ask('cargo', ['metadata', '--locked', '--format-version', '1'])
  if (name === undefined || metadata === undefined) return undefined
  const { packages } = JSON.parse(metadata) as { packages: { name: string; manifest_path: string }[] }
  const manifest = packages.find((each) => each.name === 'protobuf-build')?.manifest_path
  const path = manifest && join(dirname(manifest), 'bin', name)
  return path && existsSync(path) ? path : undefined
}

/** Without the person's own settings that change what the compiler writes, and without installing a toolchain. */
function rustEnvironment(): NodeJS.ProcessEnv {
  const kept = Object.entries(process.env).filter(
    ([name]) => !/^(RUST(FLAGS|C|DOC)|CARGO_(ENCODED|BUILD|PROFILE|TARGET|INCREMENTAL))/.test(name),
  )
  return { ...Object.fromEntries(kept), RUSTUP_TOOLCHAIN: pinnedRust(), RUSTUP_AUTO_INSTALL: '0' }
}

export function say(text: string): void {
  process.stderr.write(`${text}\n`)
}

/** Runs a command of the build; what the person can mend is one message, without a stack. */
export async function main(name: string, command: () => Promise<void>): Promise<void> {
  try {
    await command()
  } catch (error) {
    if (!(error instanceof BuildError)) throw error
    say(`${name}: ${error.message}`)
    process.exitCode = 1
  }
}
