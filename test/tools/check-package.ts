import { spawn, spawnSync, type SpawnSyncReturns } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { once } from 'node:events'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'

const ROOT = join(import.meta.dirname, '../..')
const MAX_PACKAGES = 330
const MAX_MEGABYTES = 170
const MAY_RUN_SCRIPTS = ['classic-level', 'node']
const OLD_MAJOR = 22
const READY_MS = 30_000
/** In the names of modules that stand in for the real ones in simulations. */
const ONLY_SIMULATED = '.tokens.'

/**
 * What a stranger gets: packs the build, installs it into an empty folder, holds the install against
 * its limits, and runs it under the oldest Node that is found.
 */
async function checkPackage(folder: string): Promise<void> {
  const tarball = pack(folder)
  const modules = install(folder, tarball)
  checkInstall(folder, modules)
  checkEngines(join(modules, 'kairos-mesh/dist/wasm'))
  const node = oldNode() ?? process.execPath
  const version = JSON.parse(must(kairos(folder, node, ['version', '--json'])).stdout) as { node: string }
  say(`kairos version: Node ${version.node}, started by ${must(spawnSync(node, ['--version'])).stdout.trim()}`)
  if (Number(version.node.split('.')[0]) < 24) fail(`it runs on Node ${version.node}, not on the bundled one`)
  must(kairos(folder, node, ['init', '--name', 'packed', '--profile', 'test']))
  await runAndStop(folder, node)
  const door = `import('kairos-mesh').then((door) => process.exit(typeof door.startNode === 'function' ? 0 : 1))`
  must(spawnSync(process.execPath, ['-e', door], { cwd: folder, encoding: 'utf8' }))
}

function pack(folder: string): string {
  must(npm(ROOT, ['run', '--silent', 'build']))
  const output = must(npm(ROOT, ['pack', '--ignore-scripts', '--json', '--pack-destination', folder])).stdout
  const packed: unknown = JSON.parse(output)
  const [first] = Object.values(packed as Record<string, { filename: string; size: number }>)
  if (first === undefined) fail('npm pack made nothing')
  say(`packed ${first.filename}, ${Math.round(first.size / 1024)} KiB`)
  return join(folder, first.filename)
}

/** npm takes `overrides` and `allowScripts` from the folder's own package file only. */
function install(folder: string, tarball: string): string {
  const { overrides, allowScripts } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as object & {
    overrides: object
    allowScripts: object
  }
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ private: true, overrides, allowScripts }))
  must(npm(folder, ['install', '--omit=dev', '--no-audit', '--no-fund', tarball]))
  return join(folder, 'node_modules')
}

function checkInstall(folder: string, modules: string): void {
  const packages = packagesIn(modules)
  const bytes = sizeOf(modules) - sizeOf(join(modules, 'node'))
  const megabytes = Math.round(bytes / 1e6)
  say(`${packages.length} packages (at most ${MAX_PACKAGES}), ${megabytes} MB besides Node (at most ${MAX_MEGABYTES})`)
  if (packages.length > MAX_PACKAGES) fail('too many packages')
  if (megabytes > MAX_MEGABYTES) fail('too large')
  const found = npm(folder, ['ls', '--all', '--parseable', 'react-native']).stdout.trim()
  if (found !== '') fail(`react-native is there: ${found}`)
  const scripted = packages.filter(hasInstallScript).map((directory) => nameOf(directory, modules))
  const unexpected = scripted.filter((name) => !MAY_RUN_SCRIPTS.includes(name))
  if (unexpected.length > 0) fail(`install scripts in ${unexpected.join(', ')}`)
}

/** The engines are built files that no compiler copies; how to build them is not for who installs. */
function checkEngines(packed: string): void {
  const committed = join(ROOT, 'wasm/modules')
  const built = readdirSync(committed).filter((name) => /\.(wasm|js|d\.ts)$/.test(name))
  const files = built.filter((name) => !name.includes(ONLY_SIMULATED))
  const lost = files.filter((name) => !sameBytes(join(committed, name), join(packed, 'modules', name)))
  if (files.length === 0 || lost.length > 0) fail(`not packed from wasm/modules: ${lost.join(', ') || 'anything'}`)
  const forged = readdirSync(join(packed, 'modules')).filter((name) => name.includes(ONLY_SIMULATED))
  if (forged.length > 0) fail(`packed, though signatures mean nothing there: ${forged.join(', ')}`)
  if (existsSync(join(packed, 'build'))) fail('wasm/build is packed')
  say(`${files.length} files of wasm/modules, unaltered`)
}

function sameBytes(one: string, other: string): boolean {
  return existsSync(other) && readFileSync(one).equals(readFileSync(other))
}

async function runAndStop(folder: string, node: string): Promise<void> {
  const child = spawn(node, kairosArgs(folder, ['run']), { stdio: ['ignore', 'ignore', 'pipe'] })
  const ended = once(child, 'exit') as Promise<[number | null]>
  const ready = Promise.withResolvers<void>()
  const late = setTimeout(() => ready.reject(new Error('not ready in time')), READY_MS)
  let stderr = ''
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
    stderr += chunk
    if (stderr.includes('ready: ')) ready.resolve()
  })
  void ended.then(([code]) => ready.reject(new Error(`ended with ${code}`)))
  try {
    await ready.promise
    must(kairos(folder, node, ['id']))
    child.kill('SIGTERM')
    const [code] = await ended
    if (code !== 0) throw new Error(`ended with ${code}`)
  } catch (error) {
    child.kill('SIGKILL')
    fail(`kairos run: ${String(error)}\n${stderr}`)
  } finally {
    clearTimeout(late)
  }
  say('kairos init, run, id and a clean stop')
}

/** Directories of installed packages; what lies in the npm package `node` is Node. */
function packagesIn(modules: string): string[] {
  const names = readdirSync(modules, { withFileTypes: true }).filter((entry) => entry.isDirectory())
  return names.flatMap(({ name }) => {
    const directory = join(modules, name)
    if (name.startsWith('@')) return packagesIn(directory)
    if (!existsSync(join(directory, 'package.json'))) return []
    const inner = join(directory, 'node_modules')
    return [directory, ...(name !== 'node' && existsSync(inner) ? packagesIn(inner) : [])]
  })
}

function hasInstallScript(directory: string): boolean {
  const { scripts = {} } = JSON.parse(readFileSync(join(directory, 'package.json'), 'utf8')) as { scripts?: object }
  return (
    ['preinstall', 'install', 'postinstall'].some((name) => name in scripts) ||
    existsSync(join(directory, 'binding.gyp'))
  )
}

function nameOf(directory: string, modules: string): string {
  return directory.slice(modules.length + 1)
}

/** @returns bytes on disk, a file with several names counted once */
function sizeOf(directory: string): number {
  const seen = new Map<number, number>()
  for (const entry of readdirSync(directory, { withFileTypes: true, recursive: true })) {
    if (!entry.isFile()) continue
    const { ino, blocks } = statSync(join(entry.parentPath, entry.name))
    seen.set(ino, blocks * 512)
  }
  return [...seen.values()].reduce((sum, bytes) => sum + bytes, 0)
}

/** The first Node of the path that is too old to run the build itself. */
function oldNode(): string | undefined {
  const places = (process.env['PATH'] ?? '').split(delimiter).filter((place) => !place.includes('node_modules'))
  const candidates = places.map((place) => join(place, 'node')).filter((path) => existsSync(path))
  const old = candidates.find((path) => {
    const [major = 0] = spawnSync(path, ['--version'], { encoding: 'utf8' }).stdout.slice(1).split('.').map(Number)
    return major < OLD_MAJOR
  })
  if (old === undefined) say('NOT CHECKED: no Node older than 22 on the path, so nothing had to be re-executed')
  return old
}

function kairosArgs(folder: string, args: string[]): string[] {
  return [join(folder, 'node_modules/kairos-mesh/node/bin.js'), '--path', join(folder, 'home'), ...args]
}

function kairos(folder: string, node: string, args: string[]): SpawnSyncReturns<string> {
  return spawnSync(node, kairosArgs(folder, args), { encoding: 'utf8', timeout: READY_MS })
}

function npm(cwd: string, args: string[]): SpawnSyncReturns<string> {
  return spawnSync('npm', args, { cwd, encoding: 'utf8' })
}

function must<T extends SpawnSyncReturns<string | Buffer>>(done: T): SpawnSyncReturns<string> {
  if (done.status !== 0) fail(`${done.error?.message ?? `exit ${done.status}`}\n${done.stdout}${done.stderr}`)
  return { ...done, stdout: String(done.stdout), stderr: String(done.stderr), output: [] }
}

function say(text: string): void {
  process.stdout.write(`${text}\n`)
}

function fail(why: string): never {
  throw new Error(why)
}

const folder = mkdtempSync(join(tmpdir(), 'kairos-package-'))
try {
  await checkPackage(folder)
} finally {
  rmSync(folder, { recursive: true, force: true })
}
