import { execFile } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { cleanEnv, ROOT } from '../helpers/kairos.ts'
import { Nodes } from '../unit/consensus-mesh/nodes.ts'
import { quantile, type Figure, type Peer, type Report } from './figure.ts'
import { FourComets, type Blocks } from './mesh-cometbft.ts'
import { recordFigures } from './mesh-record.ts'
import { FourValidators } from './mesh-validators.ts'

const LAUNCHER = join(ROOT, 'bootstrap/local-mesh/main.ts')
const MEASURE_MS = 15_000
const TRANSACTIONS = 50
const TEN = 10
const TEN_HEIGHTS = 30

/** The nine processes of `npm start`, and the mesh's record: four validators beside CometBFT, and what an epoch costs. */
export async function benchMesh(peers: ReadonlySet<Peer>): Promise<Report> {
  const version = peers.has('cometbft') ? FourComets.version() : undefined
  const comets = version === undefined ? [] : await cometFigures(version)
  const ours = (await validators()).map((figure, at) => {
    const baseline = comets[at]?.name
    return baseline === undefined ? figure : { ...figure, baseline, target: `≤ ${comets[at]!.value.toFixed(1)}` }
  })
  const isMissing = peers.has('cometbft') && version === undefined
  const remarks = isMissing ? ['CometBFT was asked for, but there is no `cometbft` on the PATH.'] : []
  const figures = [...(await localMesh()), ...ours, ...comets, await tenInOneProcess(), ...(await recordFigures())]
  return { figures, remarks }
}

/** From nothing, and from the directories that they left. */
async function localMesh(): Promise<Figure[]> {
  const path = await mkdtemp(join(tmpdir(), 'kairos-mesh-'))
  try {
    const fresh = await readySeconds(path, '--fresh')
    const again = await readySeconds(path)
    return [
      { name: 'local mesh of nine, from nothing: ready', value: fresh, unit: 's', target: '≤ 20' },
      { name: 'local mesh of nine, again: ready', value: again, unit: 's', target: '≤ 20' },
    ]
  } finally {
    await rm(path, { recursive: true, force: true })
  }
}

async function readySeconds(path: string, ...flags: string[]): Promise<number> {
  const args = ['--disable-warning=ExperimentalWarning', LAUNCHER, '--once', '--json', '--path', path, ...flags]
  const { stdout } = await promisify(execFile)(process.execPath, args, { env: cleanEnv() })
  return (JSON.parse(stdout) as { readyMs: number }).readyMs / 1000
}

async function validators(): Promise<Figure[]> {
  const four = await FourValidators.start()
  try {
    const figures = blockFigures('four validators', await four.measure(MEASURE_MS))
    const { p50, p99 } = await four.finalizedMs()
    return [
      ...figures,
      { name: 'four validators: start of a height to its decision, p50', value: p50, unit: 'ms' },
      { name: 'four validators: start of a height to its decision, p99', value: p99, unit: 'ms' },
      { name: 'four validators: p99 over p50 of that', value: p99 / p50, unit: '×', target: '≤ 3' },
    ]
  } finally {
    await four.close()
  }
}

async function cometFigures(version: string): Promise<Figure[]> {
  const comets = await FourComets.start()
  try {
    return blockFigures(`CometBFT ${version} at its best setting`, await comets.measure(MEASURE_MS, TRANSACTIONS))
  } finally {
    await comets.close()
  }
}

function blockFigures(of: string, { intervals, transactions }: Blocks): Figure[] {
  const figures = { 'a block every': intervals, 'a command until it is final': transactions }
  return Object.entries(figures).flatMap(([what, taken]) =>
    [0.5, 0.99].map((share) => {
      const name = `${of}: ${what}, p${share * 100}`
      return { name, value: quantile(taken, share), unit: 'ms' }
    }),
  )
}

/** The driver and the engine with real signatures; time on the wire is virtual and not counted. */
async function tenInOneProcess(): Promise<Figure> {
  const nodes = await Nodes.create({ count: TEN, pace: { epochMs: 1, idleEpochMs: 1 } })
  nodes.startAll()
  await nodes.reach(2)
  const began = performance.now()
  await nodes.reach(2 + TEN_HEIGHTS)
  const value = (performance.now() - began) / TEN_HEIGHTS
  await nodes.stop()
  return { name: 'ten validators in one process, work for a block of all', value, unit: 'ms', target: '≤ 1000' }
}
