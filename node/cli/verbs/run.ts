import { flushCompileCache } from 'node:module'
import v8 from 'node:v8'
import { runInNewContext } from 'node:vm'
import type { RunningNode } from '../../node.ts'
import { EXIT } from '../../error-table.ts'
import type { Io } from '../io.ts'
import { examples, type Register } from '../program.ts'

/** A terminal, npm and this program's own launcher may all pass on the same Ctrl-C. */
const SAME_SIGNAL_MS = 500
const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const

export const register: Register = (program, io) => {
  const command = program
    .command('run')
    .description('run the node until Ctrl-C or SIGTERM; a second signal ends it at once')
    .option('--insecure-listen', 'let the API listen to other machines without TLS (api.insecure_listen)')
    .option('--log-level <level>', 'lowest level that is logged (logging.level)')
    .action(async (flags: { insecureListen?: true; logLevel?: string }) => {
      const stopAsked = stopRequest()
      const node = await start(io, { 'api.insecure_listen': flags.insecureListen, 'logging.level': flags.logLevel })
      await announce(io, node)
      endLoading()
      await Promise.race([stopAsked, node.stopped])
      await node.stop()
      await node.stopped
    })
  examples(command, 'kairos run', 'kairos run --log-level debug')
}

async function start({ flags, env }: Io, overrides: Record<string, unknown>): Promise<RunningNode> {
  const [{ loadConfig }, { checkConfig }, { resolvePaths }, { createLog }, { startNode }] = await Promise.all([
    import('../../config/load.ts'),
    import('../../config/check.ts'),
    import('../../config/paths.ts'),
    import('../../telemetry/log.ts'),
    import('../../node.ts'),
  ])
  const paths = resolvePaths({ path: flags.path, env })
  const { config } = await loadConfig({ path: paths.config, env, flags: overrides })
  checkConfig(config)
  return startNode({ paths, config, log: createLog(config.logging) })
}

/**
 * Keeps what was compiled for the next start, and gives back what loading 1500 modules left behind: V8
 * would hold 40 MB of empty heap ready for the like, which a running node never does again.
 */
function endLoading(): void {
  flushCompileCache()
  v8.setFlagsFromString('--expose-gc')
  const collectGarbage = runInNewContext('gc') as () => void
  v8.setFlagsFromString('--no-expose-gc')
  collectGarbage()
}

async function announce(io: Io, { operations, api }: RunningNode): Promise<void> {
  const node = operations.id()
  if (io.flags.json) await io.row({ ready: true, api, ...node }, () => '')
  io.note(`ready: ${node.name}, ${node.role} of cell ${node.cell}, ${node.peerId}, API ${api}`)
}

/** Resolves at the first signal, or when the process that started this one has gone; the second signal exits. */
function stopRequest(): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>()
  let first: number | undefined
  const onSignal = () => {
    const now = performance.now()
    if (first !== undefined && now - first > SAME_SIGNAL_MS) process.exit(EXIT.interrupted)
    first ??= now
    resolve()
  }
  for (const signal of SIGNALS) process.on(signal, onSignal)
  process.once('disconnect', () => resolve())
  // It may have gone while this was loading.
  if (process.connected === false) resolve()
  return promise
}
