import { statfs } from 'node:fs/promises'
import { createServer } from 'node:net'
import { CodedError, codeOf, messageOf } from '../../../protocols/shared/errors.ts'
import { checkConfig } from '../../config/check.ts'
import { loadConfig } from '../../config/load.ts'
import { applyConfiguredPaths, resolvePaths, type Paths } from '../../config/paths.ts'
import type { Config } from '../../config/schema.ts'
import { requireMembership } from '../../network/membership-files.ts'
import type { Finding } from '../../operations.ts'
import { ensureDirectory, readSecretFile } from '../../storage/files.ts'
import { loadNodeKey } from '../../storage/key-file.ts'
import { lockHolder } from '../../storage/lock.ts'
import { createClient } from '../client.ts'
import type { Io } from '../io.ts'

/** Under this the node may soon be unable to write. */
const LEAST_FREE_BYTES = 1_073_741_824

/** What can be seen from outside, then what the node says of itself when it runs. Never throws for what it finds. */
export async function examine(io: Io): Promise<Finding[]> {
  const paths = resolvePaths({ path: io.flags.path, env: io.env })
  const config = await loadConfig({ path: paths.config, env: io.env }).then(
    (loaded) => loaded.config,
    () => undefined,
  )
  const local: Promise<Finding>[] = [
    checked('configuration', () => checkConfiguration(paths, io.env)),
    checked('directory', () => checkDirectory(paths)),
    checked('key', async () => `${(await loadNodeKey(paths.key)).publicKey.toString()}`),
    checked('mesh', async () => `member of ${(await requireMembership(paths)).genesis.name}`),
    checked('disk', () => checkDisk(config === undefined ? paths : applyConfiguredPaths(paths, config))),
  ]
  const running = await lockHolder(paths.lock).catch(() => undefined)
  if (running === undefined && io.flags.api === undefined) {
    if (config !== undefined) local.push(checked('API port', () => checkPort(config)))
    return [
      ...(await Promise.all(local)),
      { check: 'node', ok: true, message: 'not running; start it with kairos run' },
    ]
  }
  return [...(await Promise.all(local)), ...(await askNode(io, paths, running))]
}

/** @param look - gives the good news, or throws the bad with its remedy as the hint */
async function checked(check: string, look: () => Promise<string>): Promise<Finding> {
  try {
    return { check, ok: true, message: await look() }
  } catch (error) {
    return badNews(check, error)
  }
}

function badNews(check: string, error: unknown): Finding {
  const hint = error instanceof CodedError ? error.hint : undefined
  const remedy = hint ?? 'see what the message names, and the list of error codes in the documentation'
  return { check, ok: false, message: `${codeOf(error)}: ${messageOf(error)}`, remedy }
}

async function checkConfiguration(paths: Paths, env: NodeJS.ProcessEnv): Promise<string> {
  checkConfig((await loadConfig({ path: paths.config, env })).config)
  return `${paths.config} is valid`
}

async function checkDirectory({ root }: Paths): Promise<string> {
  // Reading the key would not tell whether new files can be made.
  await statfs(root).catch(() => {
    throw new CodedError('E_KEY_MISSING', `${root} does not exist`, { hint: 'kairos init makes it' })
  })
  await ensureDirectory(root)
  return `${root} is writable, and only for this user`
}

async function checkDisk(paths: Paths): Promise<string> {
  for (const place of [paths.data, paths.blocks, paths.root]) {
    const { bavail, bsize } = await statfs(place).catch(() => ({ bavail: Number.POSITIVE_INFINITY, bsize: 1 }))
    if (bavail * bsize < LEAST_FREE_BYTES)
      throw new CodedError('E_DISK_FULL', `less than 1 GiB is free at ${place}`, {
        hint: 'free some space, or move storage.path',
      })
  }
  return 'at least 1 GiB is free'
}

async function checkPort({ api }: Config): Promise<string> {
  if (api.port === 0) return 'a free one is taken at start'
  const probe = createServer()
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  probe.once('error', reject).listen({ host: api.host, port: api.port, exclusive: true }, resolve)
  try {
    await promise
  } catch (cause) {
    throw new CodedError('E_PORT_TAKEN', `${api.host}:${api.port} cannot be listened on (${codeOf(cause)})`, {
      hint: 'choose another one with `kairos config set api.port PORT` (0 takes a free one)',
      cause,
    })
  } finally {
    probe.close()
  }
  return `${api.host}:${api.port} is free`
}

async function askNode(io: Io, paths: Paths, pid: number | undefined): Promise<Finding[]> {
  const token = await checked('token', async () => {
    if (io.flags.token === undefined) await readSecretFile(paths.apiToken)
    return 'readable only for this user'
  })
  try {
    const { findings } = await createClient(io).get<{ findings: Finding[] }>('/doctor')
    return [
      token,
      { check: 'node', ok: true, message: `running${pid === undefined ? '' : `, pid ${pid}`}` },
      ...findings,
    ]
  } catch (error) {
    if (io.signal.aborted) throw error
    return [token, badNews('node', error)]
  }
}
