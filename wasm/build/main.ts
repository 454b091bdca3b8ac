import { cp, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { gzipSync } from 'node:zlib'
import { buildBindgen, compile } from './compile.ts'
import { ENGINES, WASM } from './engines.ts'
import { BuildError, main, rust, say } from './run.ts'
import { inputsNow, MODULES_FOLDER, modulesIn, SOURCES_FILE, type Sources } from './sources.ts'
import { missingCheckTools, missingTools, requireTools } from './tools.ts'

const HELP = `npm run build:wasm [-- FLAG]   builds every engine into wasm/modules
  --check   builds from clean beside them and fails when a byte differs from what is there
  --tools   only says which tools are missing, for this and for check:wasm
  --json    the sizes as JSON on stdout`

/** Bytes of a module, as it is and as a web server would send it. */
interface Size {
  module: string
  bytes: number
  gzip: number
}

await main('build:wasm', async () => {
  const flags = options()
  if (flags.help === true) return void process.stdout.write(`${HELP}\n`)
  if (flags.tools === true) return requireTools([...missingTools(), ...missingCheckTools()])
  requireTools(missingTools())
  const modules = flags.check === true ? await check() : await replace()
  const sizes = await sizesIn(modules)
  process.stdout.write(flags.json === true ? `${JSON.stringify(sizes, null, 2)}\n` : table(sizes))
})

function options(): { check?: boolean; tools?: boolean; json?: boolean; help?: boolean } {
  const flag = { type: 'boolean' } as const
  try {
    return parseArgs({ options: { check: flag, tools: flag, json: flag, help: flag } }).values
  } catch (error) {
    throw new BuildError(`${(error as Error).message}\n${HELP}`)
  }
}

/** @returns the folder of the modules, which is touched only when all of them are built */
async function replace(): Promise<string> {
  const built = await build(join(WASM, 'target'))
  await rm(MODULES_FOLDER, { recursive: true, force: true })
  await cp(built, MODULES_FOLDER, { recursive: true })
  return MODULES_FOLDER
}

/** @throws {BuildError} naming each file that is not what is there, byte for byte */
async function check(): Promise<string> {
  const target = join(WASM, 'target/clean')
  await rm(target, { recursive: true, force: true })
  const modules = await build(target)
  const names = [...new Set([...(await namesIn(modules)), ...(await namesIn(MODULES_FOLDER))])].sort()
  const compared = await Promise.all(names.map((name) => difference(name, modules)))
  const different = compared.filter((line) => line !== undefined)
  if (different.length > 0) {
    const next = 'run `npm run build:wasm`, look at the change and commit wasm/modules'
    throw new BuildError(`the modules are not what these sources give\n  ${different.join('\n  ')}\n${next}`)
  }
  say('built from clean: every byte is as it is in wasm/modules')
  return modules
}

/** @returns the folder of the modules, inside the target folder */
async function build(target: string): Promise<string> {
  // Before anything is compiled: what is edited meanwhile must not count as built.
  const inputs = inputsNow()
  const modules = join(target, 'modules')
  await rm(modules, { recursive: true, force: true })
  await mkdir(modules, { recursive: true })
  // The folder of sources in the registry must be there before its name can be replaced.
  await rust('cargo', ['fetch', '--locked', '--quiet'])
  await buildBindgen(target)
  for (const engine of ENGINES) await compile(engine, { target, modules })
  const sources: Sources = { ...inputs, modules: modulesIn(modules) }
  await writeFile(join(modules, SOURCES_FILE), `${JSON.stringify(sources, null, 2)}\n`)
  return modules
}

async function difference(name: string, built: string): Promise<string | undefined> {
  const [fresh, there] = await Promise.all([built, MODULES_FOLDER].map((folder) => bytesOf(join(folder, name))))
  if (fresh === undefined) return `wasm/modules/${name}: no engine gives it`
  if (there === undefined) return `wasm/modules/${name}: missing`
  return fresh.equals(there)
    ? undefined
    : `wasm/modules/${name}: differs (${there.length} bytes, built ${fresh.length})`
}

async function bytesOf(path: string): Promise<Buffer | undefined> {
  return readFile(path).catch(() => undefined)
}

async function namesIn(folder: string): Promise<string[]> {
  const names = await readdir(folder).catch(() => [])
  return names.sort()
}

async function sizesIn(modules: string): Promise<Size[]> {
  const names = (await namesIn(modules)).filter((name) => name !== SOURCES_FILE)
  return Promise.all(
    names.map(async (module) => {
      const content = await readFile(join(modules, module))
      return { module, bytes: content.length, gzip: gzipSync(content, { level: 9 }).length }
    }),
  )
}

function table(sizes: Size[]): string {
  const rows = [['module', 'bytes', 'gzip'], ...sizes.map(({ module, bytes, gzip }) => [module, `${bytes}`, `${gzip}`])]
  return rows
    .map(([name = '', ...cells]) => `${name.padEnd(24)}${cells.map((cell) => cell.padStart(10)).join('')}\n`)
    .join('')
}
