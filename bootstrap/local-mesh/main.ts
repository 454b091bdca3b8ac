import { rm } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { Command, InvalidArgumentError } from 'commander'
import { exitCodeOf } from '../../node/errors.ts'
import { CodedError, codeOf, messageOf } from '../../protocols/shared/errors.ts'
import { LocalMesh } from './mesh.ts'
import { NODES } from './plan.ts'
import { choosePorts } from './ports.ts'
import { place } from './prepare.ts'
import { Changes, globalOf, Screen, table } from './view.ts'

const RECORDING = fileURLToPath(new URL('../recording/seattle-weather-hourly-normals.csv', import.meta.url))
const FIRST_P2P_PORT = 18_789
const FIRST_API_PORT = 3333
const REFRESH_MS = 1000

interface Options {
  once: boolean
  json: boolean
  fresh: boolean
  path: string
  speed: number
  for?: number
  timeout: number
}

const program = new Command('npm start --')
  .description('Nine processes of four operators on this machine, on a real recording.')
  .option('--once', 'start, wait until ready, print, stop', false)
  .option('--json', 'with --once: one JSON document on stdout', false)
  .option('--fresh', 'remove the directories of an earlier run first', false)
  .option('--path <dir>', 'where the nine directories are', join('.kairos', 'local-mesh'))
  .option('--speed <days>', 'days of the recording per second', positive, 30)
  .option('--for <seconds>', 'stop by itself after this long', positive)
  .option('--timeout <seconds>', 'give up when not ready by then', positive, 60)

function positive(text: string): number {
  const value = Number(text)
  if (!(value > 0) || value > 1e6) throw new InvalidArgumentError('a positive number is needed')
  return value
}

const say = (text: string): void => void process.stderr.write(`${text}\n`)

/** @returns the exit code: 0, or 5 with the reason when the mesh was not ready in time */
async function run(options: Options, stop: AbortController): Promise<number> {
  const root = resolve(options.path)
  if (options.fresh) await rm(root, { recursive: true, force: true })
  const p2p = await choosePorts(FIRST_P2P_PORT, NODES.length)
  const nodes = place(root, [...p2p, ...(await choosePorts(FIRST_API_PORT, NODES.length))])
  const started = performance.now()
  const deadline = AbortSignal.timeout(options.timeout * 1000)
  const signal = AbortSignal.any([stop.signal, deadline])
  const mesh = new LocalMesh(nodes, { root, recording: RECORDING, daysPerSecond: options.speed, signal })
  try {
    await mesh.start(say)
    await mesh.ready()
    const readyMs = Math.round(performance.now() - started)
    if (options.once) print(mesh, readyMs, options.json)
    else await watch(mesh, readyMs, options, stop.signal)
    return 0
  } catch (error) {
    if (stop.signal.aborted) return 0
    if (!deadline.aborted) throw error
    say(`not ready after ${options.timeout} s: ${mesh.unready().join('; ')}`)
    return exitCodeOf('E_UNHEALTHY')
  } finally {
    await mesh.stop()
  }
}

/** The document of operator.md, "The local mesh". */
function print(mesh: LocalMesh, readyMs: number, json: boolean): void {
  const global = globalOf(mesh)
  if (!json) return void process.stdout.write(`${table(mesh)}\nready after ${(readyMs / 1000).toFixed(1)} s\n`)
  const document = {
    meshId: mesh.running[0]?.view?.status.meshId,
    readyMs,
    nodes: mesh.running.map(({ node, view }) => ({
      name: node.name,
      role: node.role,
      cell: node.cell,
      peerId: view?.status.peerId,
      api: view?.api,
      peers: view?.status.peers.connected,
      coherence: view?.status.coherence ?? null,
    })),
    global: global && { t: global.t, magnitudeSquared: global.magnitudeSquared, collapsed: global.collapsed },
    cells: [],
    chain: {},
  }
  process.stdout.write(`${JSON.stringify(document)}\n`)
}

async function watch(mesh: LocalMesh, readyMs: number, options: Options, stop: AbortSignal): Promise<void> {
  say(`ready after ${(readyMs / 1000).toFixed(1)} s; ${commandsToTry(mesh)}`)
  const end = options.for === undefined ? stop : AbortSignal.any([stop, AbortSignal.timeout(options.for * 1000)])
  const screen = process.stdout.isTTY ? new Screen(process.stdout) : undefined
  const changes = new Changes()
  mesh.onDeath((dead) =>
    say(`${dead.node.name} ended (${dead.child.exitCode ?? dead.child.signalCode}); the others go on`),
  )
  while (!end.aborted) {
    await mesh.refresh()
    const news = [...changes.since(mesh)]
    if (screen !== undefined) screen.draw(`${table(mesh)}\n${commandsToTry(mesh)}\nCtrl-C stops all.`)
    else for (const line of news) process.stdout.write(`${line}\n`)
    await delay(REFRESH_MS, undefined, { signal: end }).catch(() => undefined)
  }
}

function commandsToTry(mesh: LocalMesh): string {
  const path = mesh.running[0]?.node.path ?? ''
  return `in another terminal: npx kairos --path ${path} status | peers | query coherence --all`
}

const options = program.parse().opts<Options>()
const stop = new AbortController()
// The second signal is Node's own: it ends this process at once, and the children with it.
for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, () => stop.abort())
try {
  process.exitCode = await run(options, stop)
} catch (error) {
  const hint = error instanceof CodedError && error.hint !== undefined ? `\n  ${error.hint}` : ''
  say(`${messageOf(error)}${hint}`)
  process.exitCode = exitCodeOf(codeOf(error))
}
