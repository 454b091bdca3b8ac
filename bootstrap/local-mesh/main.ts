import { join, relative, resolve } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { Command, InvalidArgumentError } from 'commander'
import { EXIT } from '../../node/error-table.ts'
import { exitCodeOf } from '../../node/errors.ts'
import { CodedError, codeOf, messageOf } from '../../protocols/shared/errors.ts'
import { cellsOf } from './cells.ts'
import { chainOf } from './chain.ts'
import { endOf, LocalMesh } from './mesh.ts'
import { NODES } from './plan.ts'
import { choosePorts } from './ports.ts'
import { makeRoot, place, removeOld } from './prepare.ts'
import { Changes, globalOf, Screen, table } from './view.ts'

const RECORDING = fileURLToPath(new URL('../recording/seattle-weather-hourly-normals.csv', import.meta.url))
const FIRST_P2P_PORT = 18_789
const FIRST_API_PORT = 3333
const REFRESH_MS = 1000
/** A terminal and npm both pass on the same Ctrl-C. */
const SAME_SIGNAL_MS = 500

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

/** @returns the exit code: 0, 5 with the reasons when the mesh was not ready in time, 130 when stopped before it was */
async function run(options: Options, stop: AbortController): Promise<number> {
  const root = resolve(options.path)
  const wanted = [FIRST_P2P_PORT, FIRST_API_PORT].flatMap((first) => NODES.map((_, i) => first + i))
  const nodes = place(root, await choosePorts(wanted))
  await makeRoot(root, nodes)
  if (options.fresh) await removeOld(root, nodes)
  const started = performance.now()
  const deadline = AbortSignal.timeout(options.timeout * 1000)
  const signal = AbortSignal.any([stop.signal, deadline])
  const mesh = new LocalMesh(nodes, { root, recording: RECORDING, daysPerSecond: options.speed, signal })
  let isReady = false
  try {
    await mesh.start(say)
    await mesh.ready()
    isReady = true
    const readyMs = Math.round(performance.now() - started)
    if (options.once) print(mesh, readyMs, options.json)
    else await watch(mesh, readyMs, options, stop.signal)
    return 0
  } catch (error) {
    if (stop.signal.aborted) return EXIT.interrupted
    if (isReady || !deadline.aborted) throw error
    say(`not ready after ${options.timeout} s: ${mesh.unready().join('; ')}`)
    return EXIT.unhealthy
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
      pins: view?.status.pins ?? null,
    })),
    global: global && { t: global.t, magnitudeSquared: global.magnitudeSquared, collapsed: global.collapsed },
    cells: cellsOf(mesh.running).map(({ name, leader, term, commitIndex }) => ({ name, leader, term, commitIndex })),
    chain: chainOf(mesh.running) ?? {},
  }
  process.stdout.write(`${JSON.stringify(document)}\n`)
}

async function watch(mesh: LocalMesh, readyMs: number, options: Options, stop: AbortSignal): Promise<void> {
  say(`ready after ${(readyMs / 1000).toFixed(1)} s`)
  const end = options.for === undefined ? stop : AbortSignal.any([stop, AbortSignal.timeout(options.for * 1000)])
  const screen = process.stdout.isTTY ? new Screen(process.stdout) : undefined
  const changes = new Changes()
  if (screen === undefined) say(commandsToTry(mesh))
  mesh.onDeath((dead) => {
    if (screen !== undefined) return
    const lastWords = dead.stderr().trim().split('\n').at(-1) ?? ''
    say(`${dead.node.name} ended (${endOf(dead)}); the others go on${lastWords === '' ? '' : `\n  ${lastWords}`}`)
  })
  while (!end.aborted) {
    await mesh.refresh()
    const news = [...changes.since(mesh)]
    if (screen !== undefined) screen.draw(`${table(mesh)}\n${commandsToTry(mesh)}\n`)
    else for (const line of news) process.stdout.write(`${line}\n`)
    await delay(REFRESH_MS, undefined, { signal: end }).catch(() => undefined)
  }
}

function commandsToTry(mesh: LocalMesh): string {
  const path = mesh.running[0]?.node.path ?? ''
  const near = relative('', path)
  const kairos = `npx kairos --path ${near.startsWith('..') ? path : near}`
  const verbs = [
    'status',
    'members',
    'epoch ls',
    'validators',
    'query coherence --all',
    'add package.json --pin --wait',
    'pin status',
  ]
  const lines = verbs.map((verb) => `  ${kairos} ${verb}`)
  return ['', 'In another terminal:', ...lines, 'Ctrl-C stops all nine.'].join('\n')
}

/** The first signal stops all nodes; a second one ends this process at once, and they follow when they see it gone. */
function stopRequest(): AbortController {
  const stop = new AbortController()
  let first: number | undefined
  const onSignal = (): void => {
    const now = performance.now()
    if (first !== undefined && now - first > SAME_SIGNAL_MS) process.exit(EXIT.interrupted)
    first ??= now
    stop.abort()
  }
  for (const name of ['SIGINT', 'SIGTERM'] as const) process.on(name, onSignal)
  return stop
}

program.exitOverride(({ exitCode }) => process.exit(exitCode === 0 ? EXIT.ok : EXIT.usage))
const options = program.parse().opts<Options>()
const stop = stopRequest()
try {
  process.exitCode = await run(options, stop)
} catch (error) {
  const hint = error instanceof CodedError && error.hint !== undefined ? `\n  ${error.hint}` : ''
  say(`${messageOf(error)}${hint}`)
  process.exitCode = exitCodeOf(codeOf(error))
}
