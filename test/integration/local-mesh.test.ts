import { expect } from 'chai'
import { spawn } from 'node:child_process'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { CoherenceDocument, EpochDocument, GlobalCoherence, ReportRow } from '../../node/operations.ts'
import { quantise } from '../../node/coherence/global/quantise.ts'
import { weightedSum } from '../../node/coherence/global/weighted-sum.ts'
import type { ChainView } from '../../bootstrap/local-mesh/chain.ts'
import { NODES } from '../../bootstrap/local-mesh/plan.ts'
import { cleanEnv, ROOT, type Ended } from '../helpers/kairos.ts'
import { document, eventually, holdPort, isRunning, pidOf, Stage, type RunningProcess } from '../helpers/processes.ts'

const LAUNCHER = join(ROOT, 'bootstrap/local-mesh/main.ts')
const TOTAL_WEIGHT = 12
/** On a machine that does much else; alone it is a tenth. */
const READY_S = 150

interface MeshDocument {
  meshId: string
  readyMs: number
  nodes: {
    name: string
    role: string
    cell: string
    peerId: string
    api: string
    peers: number
    coherence: unknown
    pins: unknown
  }[]
  global: Pick<GlobalCoherence, 't' | 'magnitudeSquared' | 'collapsed'>
  cells: { name: string; leader: string; term: number; commitIndex: number }[]
  chain: ChainView
}

describe('local mesh', function () {
  this.timeout(2 * READY_S * 1000)
  let stage: Stage
  let mesh: string
  let first: MeshDocument
  before(async () => {
    stage = await Stage.open()
    mesh = stage.path('m')
  })
  after(() => stage.close())

  const launch = (...args: string[]): RunningProcess & { stderr: () => string } => {
    const command = [LAUNCHER, '--path', mesh, '--timeout', String(READY_S), ...args]
    const child = spawn(process.execPath, command, { cwd: ROOT, env: cleanEnv(), detached: true })
    child.stdin.end()
    let stderr = ''
    child.stderr.on('data', (chunk) => (stderr += String(chunk)))
    return { ...stage.watch(child), stderr: () => stderr }
  }
  const pids = async (): Promise<number[]> => {
    const held = await Promise.all(NODES.map(({ name }) => pidOf(join(mesh, name))))
    return held.filter((pid) => pid !== undefined)
  }
  const allGone = (known: number[]) => async (): Promise<boolean> =>
    (await Promise.all(known.map(isRunning))).every((runs) => !runs)
  const coherenceOf = (name: string) => document<CoherenceDocument>(join(mesh, name), 'coherence')

  describe('started with --once', () => {
    it('starts nine nodes of four operators, prints one document and leaves no process; taken ports are replaced', async () => {
      const held = await Promise.all([holdPort(3333), holdPort(18_789)])
      const launcher = launch('--once', '--json', '--fresh')
      const seen = await launcher.until('all nine run', async () => {
        const running = await pids()
        return running.length === NODES.length && running
      })
      const { code, stdout, stderr } = await launcher.end
      await Promise.all(held.map(({ release }) => release()))
      expect(code, stderr).to.equal(0)
      first = JSON.parse(stdout) as MeshDocument
      expect(first.meshId).to.match(/^bafy/)
      expect(first.nodes.map(({ name, role, cell }) => [name, role, cell])).to.deep.equal(
        NODES.map(({ name, role, cell }) => [name, role, cell]),
      )
      expect(new Set(first.nodes.map(({ peerId }) => peerId)).size).to.equal(NODES.length)
      for (const { name, role, peers, coherence, pins } of first.nodes) {
        const agreed = role === 'full' ? 0 : null
        if (role === 'relay') expect(pins, name).to.equal(null)
        else expect(pins, name).to.deep.include({ agreed, pinned: 0, underWay: 0, failed: 0 })
        expect(peers, name).to.be.at.least(role === 'light' ? 1 : 7)
        if (role === 'witness' || role === 'relay') expect(coherence, name).to.equal(null)
        else expect(coherence, name).to.include.keys('t', 'magnitudeSquared', 'collapsed', 'falseAlarm')
      }
      expect(first.nodes.map(({ api }) => api)).to.not.include('http://127.0.0.1:3333')
      expect(first.global).to.have.keys('t', 'magnitudeSquared', 'collapsed')
      expect(first.cells.map(({ name }) => name)).to.have.members(['alpha', 'beta', 'gamma', 'delta'])
      for (const { name, leader, term, commitIndex } of first.cells) {
        expect(leader).to.match(new RegExp(`^${name}-\\d$`))
        expect([term, commitIndex], name).to.satisfy((numbers: number[]) => numbers.every((number) => number > 0))
      }
      const { height, finalizedMs, t, ...chain } = first.chain
      expect(chain).to.include({ validators: 6, operators: 4 }).and.have.any.keys('collapsed', 'magnitudeSquared')
      expect([height > 0, t?.length, finalizedMs!.p50 > 0 && finalizedMs!.p50 <= finalizedMs!.p99]).to.deep.equal([
        true,
        2,
        true,
      ])
      expect(await allGone(seen)()).to.equal(true)
      expect(await pids()).to.deep.equal([])
    })
  })

  describe('that runs on, in the directories of the first', () => {
    let launcher: ReturnType<typeof launch>
    let running: number[]
    before(async () => {
      launcher = launch('--speed', '400')
      await launcher.until('ready', () => launcher.stderr().includes('ready after'), READY_S * 1000)
      running = await pids()
    })

    it('keeps its identities', async () => {
      for (const { name, peerId } of first.nodes) {
        const id = await document<{ peerId: string; meshId: string }>(join(mesh, name), 'id')
        expect(id).to.include({ peerId, meshId: first.meshId })
      }
    })

    it('goes on with its record, which is the same on every node that keeps it', async () => {
      const { height } = first.chain
      const route = `epochs/show?height=${height + 1}`
      const cids = NODES.filter(({ role }) => role !== 'relay').map(({ name }) =>
        eventually(`${name} has epoch ${height + 1}`, async () => {
          return (await document<EpochDocument>(join(mesh, name), route))?.cid
        }),
      )
      expect(new Set(await Promise.all(cids)).size).to.equal(1)
    })

    it('cannot be started a second time, not even with --fresh', async () => {
      const { code, stderr } = await launch('--once', '--fresh').end
      expect(code).to.equal(4)
      expect(stderr).to.match(/a local mesh is running in .* \(alpha-1 has pid \d+\)/)
    })

    it('collapses, and delta-1 dissents', async () => {
      const collapsed = await eventually('a collapse of the mesh that delta-1 stands apart from', async () => {
        const global = (await coherenceOf('witness'))?.global
        return global?.collapsed === true && global.dissenters.includes('delta-1') && global
      })
      expect(collapsed.weightAgreeing).to.be.within(2 / 3, 9 / 12)
      expect(collapsed.falseAlarm).to.be.lessThan(1e-3)
    })

    it('shows the light node and does not weigh it; roles without a transducer hear all and say nothing', async () => {
      for (const name of ['witness', 'relay', 'light', 'alpha-2']) {
        const rows = (await coherenceOf(name))?.reports ?? []
        const weights = Object.fromEntries(rows.map((row) => [row.name, row.weight]))
        const full = { 'alpha-1': 1, 'alpha-2': 1, 'alpha-3': 1, 'beta-1': 3, 'gamma-1': 3, 'delta-1': 3 }
        expect(weights, name).to.deep.equal({ ...full, light: 0 })
      }
    })

    it('computes T_global from the reports alone, the same bits on every node', async () => {
      const seen = new Map<string, string>()
      let shared = 0
      await eventually('two nodes that hold the same reports', async () => {
        for (const { name } of NODES) {
          const view = await coherenceOf(name)
          if (view === undefined) continue
          const { re, im } = weightedSum(withSilent(view.reports))
          expect(view.global.t.map(quantise), name).to.deep.equal([re, im])
          const held = JSON.stringify(view.reports.map((row) => [row.peerId, row.weight, row.t]).sort())
          const other = seen.get(held)
          if (other !== undefined) shared += 1
          expect(JSON.stringify(view.global.t), name).to.equal(other ?? JSON.stringify(view.global.t))
          seen.set(held, JSON.stringify(view.global.t))
        }
        return shared > 0
      })
    })

    it('goes on when a node is killed: it says so, the others show it stale and its weight is missing', async () => {
      process.kill((await pidOf(join(mesh, 'gamma-1')))!, 'SIGKILL')
      await eventually('the launcher says it', () => launcher.stderr().includes('gamma-1 ended (SIGKILL)'))
      for (const name of ['alpha-1', 'light', 'witness']) {
        const view = await eventually(`gamma-1 stale on ${name}`, async () => {
          const document = await coherenceOf(name)
          return document?.reports.find((row) => row.name === 'gamma-1')?.state === 'stale' && document
        })
        expect(view.global.weightReporting, name).to.be.closeTo(9 / 12, 1e-9)
        expect(view.reports.find((row) => row.name === 'gamma-1')?.weight, name).to.equal(0)
      }
    })

    it('ends all at Ctrl-C, also when one has died', async () => {
      // A terminal signals the whole group.
      process.kill(-launcher.child.pid!, 'SIGINT')
      expect((await launcher.end).code).to.equal(0)
      expect(await allGone(running)()).to.equal(true)
    })
  })

  describe('cut short', () => {
    it('started again after a kill -9 finds its way, and stops by itself after --for', async () => {
      const { code, stdout, stderr } = await launch('--for', '1').end
      expect(code, stderr).to.equal(0)
      expect(stdout).to.not.contain('{')
      expect(await pids()).to.deep.equal([])
    })

    it('leaves no node behind when it is killed itself', async () => {
      const launcher = launch()
      const running = await launcher.until('nodes run', async () => {
        const known = await pids()
        return known.length >= 4 && known
      })
      process.kill(launcher.child.pid!, 'SIGKILL')
      await launcher.end
      await eventually('all nodes have ended', async () => allGone([...running, ...(await pids())])())
    })

    const cut = async (args: string[], after?: (launcher: RunningProcess) => unknown): Promise<Ended> => {
      const launcher = launch(...args)
      await after?.(launcher)
      const ended = await launcher.end
      expect(await allGone(await pids())()).to.equal(true)
      return ended
    }

    it('5, with the reasons, when it is not ready in time', async () => {
      const { code, stdout, stderr } = await cut(['--once', '--json', '--fresh', '--timeout', '1'])
      expect([code, stdout]).to.deep.equal([5, ''])
      expect(stderr).to.match(/not ready after 1 s: alpha-1 does not answer/)
    })

    it('130 when it is interrupted before it is ready', async () => {
      const { code, stdout } = await cut(['--once', '--json', '--fresh'], async (launcher) => {
        // Not a lock that a killed command has left.
        await launcher.until('a command runs', async () => !(await allGone(await pids())()))
        launcher.child.kill('SIGINT')
      })
      expect([code, stdout]).to.deep.equal([130, ''])
    })

    it('6 for a directory that cannot be one, 128 for an option that is none', async () => {
      await writeFile(stage.path('file'), '')
      const unusable = await launch('--once', '--path', stage.path('file')).end
      expect(unusable.code).to.equal(6)
      expect(unusable.stderr)
        .to.contain(stage.path('file'))
        .and.match(/\n {2}.*--path/)
      const unknown = await launch('--wonce').end
      expect(unknown.code).to.equal(128)
      expect(unknown.stderr).to.contain('--once')
      expect((await launch('--speed', 'fast').end).code).to.equal(128)
    })

    it('removes with --fresh what is its own, and nothing else', async () => {
      await writeFile(join(mesh, 'mine.txt'), 'mine')
      await cut(['--once', '--fresh', '--timeout', '1'])
      expect(await readFile(join(mesh, 'mine.txt'), 'utf8')).to.equal('mine')
    })
  })
})

/** What a node weighs: the rows, and the silent rest of the weight as zero. */
function withSilent(rows: ReportRow[]) {
  const parts = 720_720
  const reports = rows.map(({ peerId, weight, t: [re, im] }) => ({
    peer: peerId,
    weight: Math.round(weight * parts),
    t: { re: quantise(re), im: quantise(im) },
  }))
  const silent = TOTAL_WEIGHT * parts - reports.reduce((sum, { weight }) => sum + weight, 0)
  return [...reports, { peer: '', weight: silent, t: { re: 0, im: 0 } }]
}
