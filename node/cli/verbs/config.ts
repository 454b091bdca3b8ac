import type { Command } from 'commander'
import type { Io } from '../io.ts'
import { examples, type Register } from '../program.ts'

const load = () =>
  Promise.all([import('../../config/load.ts'), import('../../config/paths.ts'), import('yaml')] as const)

export const register: Register = (program, io) => {
  const config = program.command('config').description('the configuration file of this node')
  examples(config, 'kairos config show', 'kairos config get api.port')
  registerShow(config, io)
  registerGet(config, io)
  registerSet(config, io)
  registerValidate(config, io)
}

function registerShow(config: Command, io: Io): void {
  const command = config
    .command('show')
    .description('every key with the value in effect, secrets hidden')
    .option('--sources', 'where each value is from: variable, file or default')
    .action(async ({ sources: wanted }: { sources?: true }) => {
      const [{ loadConfig }, { resolvePaths }, yaml] = await load()
      const { redact } = await import('../../api/redact.ts')
      const path = resolvePaths({ path: io.flags.path, env: io.env }).config
      const { config, sources } = await loadConfig({ path, env: io.env })
      const document = wanted === undefined ? redact(config) : sources
      await io.document(document, () => yaml.stringify(document))
    })
  examples(command, 'kairos config show --sources')
}

function registerGet(config: Command, io: Io): void {
  const command = config
    .command('get <key>')
    .description('the value in effect of one key or section')
    .action(async (key: string) => {
      const [{ loadConfig }, { resolvePaths }, yaml] = await load()
      const { getKey } = await import('../../config/keys.ts')
      const path = resolvePaths({ path: io.flags.path, env: io.env }).config
      const value = getKey((await loadConfig({ path, env: io.env })).config, key) ?? null
      await io.document(value, () => (typeof value === 'object' ? yaml.stringify(value) : String(value)))
    })
  examples(command, 'kairos config get kairos.omega')
}

function registerSet(config: Command, io: Io): void {
  const command = config
    .command('set <key> <value>')
    .description('change one key in the file; comments stay')
    .action(async (key: string, value: string) => {
      const [{ loadConfig }, { resolvePaths }] = await load()
      const { ConfigDocument } = await import('../../config/document.ts')
      const { getKey } = await import('../../config/keys.ts')
      const { dirname } = await import('node:path')
      const { ensureDirectory } = await import('../../storage/files.ts')
      const { config: path } = resolvePaths({ path: io.flags.path, env: io.env })
      await ensureDirectory(dirname(path))
      const document = await ConfigDocument.read(path)
      document.set(key, value)
      await document.write()
      const now = getKey((await loadConfig({ path, env: io.env })).config, key)
      await io.document({ key, value: now }, () => `${key} = ${JSON.stringify(now)}`)
      io.note('a running node takes it when it starts again')
    })
  examples(command, 'kairos config set logging.level debug')
}

function registerValidate(config: Command, io: Io): void {
  const command = config
    .command('validate [file]')
    .description('check the file, or another one; exit code 3 when it is not valid')
    .action(async (file?: string) => {
      const [{ loadConfig }, { resolvePaths }] = await load()
      const { checkConfig } = await import('../../config/check.ts')
      const path = file ?? resolvePaths({ path: io.flags.path, env: io.env }).config
      const { readFile } = await import('node:fs/promises')
      // A file that was named must be there; the node's own may be missing.
      if (file !== undefined) await readFile(file)
      checkConfig((await loadConfig({ path, env: io.env })).config)
      await io.document({ file: path, valid: true }, () => `${path}: valid`)
    })
  examples(command, 'kairos config validate', 'kairos config validate --json')
}
