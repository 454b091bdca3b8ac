import { expect } from 'chai'
import { EventEmitter } from 'node:events'
import { DAY_S, NODES, plannedConfig } from '../../../bootstrap/local-mesh/plan.ts'
import { choosePorts } from '../../../bootstrap/local-mesh/ports.ts'
import { cellLacks, cellsLine, cellsOf } from '../../../bootstrap/local-mesh/cells.ts'
import { chainLacks, chainLine, chainOf } from '../../../bootstrap/local-mesh/chain.ts'
import type { LocalMesh, RunningNode } from '../../../bootstrap/local-mesh/mesh.ts'
import { Changes, Screen, table } from '../../../bootstrap/local-mesh/view.ts'
import type { CellSummary, ChainSummary } from '../../../node/operations.ts'
import { CHAIN } from '../../helpers/fake-record.ts'
import { holdPort } from '../../helpers/processes.ts'

describe('local mesh, without processes', () => {
  it('is four operators in the four roles, with one that reads another rhythm', () => {
    expect(new Set(NODES.map(({ cell }) => cell)).size).to.equal(4)
    expect(new Set(NODES.map(({ role }) => role)).size).to.equal(4)
    expect(NODES.filter(({ column }) => column === 'pressure').map(({ name }) => name)).to.deep.equal(['delta-1'])
    for (const { role, column } of NODES) expect(column === null).to.equal(role === 'witness' || role === 'relay')
  })

  it('gives each node its own noise on the same recording, at the speed asked for', () => {
    const configs = NODES.map((node, i) => plannedConfig(node, i, '/r.csv', 30) as Record<string, unknown>)
    const seeds = configs.map((config) => config['signal.seed']).filter((seed) => seed !== undefined)
    expect(new Set(seeds).size).to.equal(seeds.length)
    expect(configs[0]).to.include({ 'signal.speed': 30 * DAY_S, 'signal.path': '/r.csv', 'signal.loop': true })
    expect(configs.at(-1)).to.include({ 'signal.source': 'none' })
  })

  it('replaces ports that are taken, and gives none twice', async () => {
    const taken = await holdPort(0)
    const free = await holdPort(0)
    await free.release()
    const ports = await choosePorts([taken.port, free.port, free.port])
    await taken.release()
    expect(ports).to.not.include(taken.port)
    expect([ports[1], new Set(ports).size]).to.deep.equal([free.port, 3])
  })

  /** As a node of alpha sees its cell. */
  const cell = (leader: string | null, voters = ['alpha-1', 'alpha-2', 'alpha-3'], term = 4) =>
    ({ name: 'alpha', leader, term, commitIndex: 9, voters }) as unknown as CellSummary
  const node = (name: string) => NODES.find((one) => one.name === name)!
  const running = (...seen: [name: string, cell?: CellSummary][]) =>
    seen.map(([name, cell]) => ({
      node: node(name),
      view: cell && { status: { cells: [cell] }, coherence: {} },
    })) as unknown as RunningNode[]

  it('is not ready before each cell has a leader, and all three nodes of alpha vote', () => {
    expect(cellLacks(node('alpha-2'), [cell('alpha-1')])).to.deep.equal([])
    expect(cellLacks(node('alpha-2'), [cell(null)])).to.deep.equal(['alpha-2: cell alpha has no leader'])
    expect(cellLacks(node('alpha-2'), [])).to.deep.equal(['alpha-2: cell alpha has no leader'])
    expect(cellLacks(node('alpha-2'), [cell('alpha-1', ['alpha-1', 'alpha-2'])])).to.deep.equal([
      'alpha-2: alpha-3 does not vote in cell alpha yet',
    ])
    for (const name of ['light', 'witness', 'relay']) expect(cellLacks(node(name), [])).to.deep.equal([])
  })

  it('shows the cell as the node sees it that is in the latest term, then of one that knows the leader', () => {
    const seen = running(['alpha-1', cell('alpha-1', [], 3)], ['alpha-2', cell(null)], ['alpha-3', cell('alpha-2')])
    expect(cellsOf(seen)).to.deep.equal([
      { name: 'alpha', leader: 'alpha-2', term: 4, commitIndex: 9, voters: ['alpha-1', 'alpha-2', 'alpha-3'] },
    ])
    expect(cellsLine(seen)).to.equal('CELLS    alpha led by alpha-2 (3 voters, term 4)')
    expect(cellsLine(running(['alpha-1', cell(null)]))).to.contain('alpha has no leader')
    expect(cellsOf(running(['alpha-1']))).to.deep.equal([])
  })

  it('says when another node leads a cell, and not when the first does', () => {
    const changes = new Changes()
    const news = (leader: string | null) =>
      [...changes.since({ running: running(['alpha-3', cell(leader)]) } as unknown as LocalMesh)].filter((line) =>
        line.startsWith('cell'),
      )
    const lines = [null, 'alpha-1', 'alpha-1', null, 'alpha-2'].map(news)
    expect(lines).to.deep.equal([[], [], [], [], ['cell alpha is led by alpha-2']])
  })

  /** The record as these nodes see it. */
  const recording = (...seen: [name: string, chain: Partial<ChainSummary>][]) =>
    seen.map(([name, chain]) => ({
      node: node(name),
      view: { status: { cells: [], chain: { ...CHAIN, ...chain } }, coherence: {} },
    })) as unknown as RunningNode[]

  it('is not ready before an epoch is final on every node, and all six full nodes vote', () => {
    const lacks = (name: string, chain: Partial<ChainSummary>) => chainLacks(node(name), { ...CHAIN, ...chain })
    expect(lacks('alpha-1', {})).to.deep.equal([])
    expect(lacks('alpha-1', { height: 0 })).to.deep.equal(['alpha-1: no epoch is final yet'])
    expect(lacks('witness', { role: 'follower' })).to.deep.equal([])
    expect(lacks('witness', { role: 'follower', behind: 40 })).to.deep.equal(['witness: 40 epochs behind'])
    expect(lacks('light', { role: 'follower', validators: 4 })).to.deep.equal([
      'light: 4 of 6 nodes vote on epochs yet',
    ])
    expect(lacks('alpha-3', { role: 'follower' })).to.deep.equal(['alpha-3 does not vote on epochs yet'])
    expect(lacks('beta-1', { finalizedMs: null })).to.deep.equal(['beta-1 has decided no epoch since its start'])
    expect(lacks('relay', { role: 'follower', height: 0 })).to.deep.equal(['relay: no epoch is final yet'])
  })

  it('shows the record as that validator sees it that has come furthest', () => {
    const seen = recording(['alpha-1', { height: 7 }], ['beta-1', { height: 9, collapsed: true }])
    const { height, finalizedMs, t, magnitudeSquared, validators, operators } = { ...CHAIN, height: 9 }
    const shown = { height, finalizedMs, t, magnitudeSquared, collapsed: true, validators, operators }
    expect(chainOf([...seen, ...recording(['witness', { height: 12 }])])).to.deep.equal(shown)
    expect(chainLine(seen)).to.equal(
      'CHAIN    epoch 9, final after 52 ms (p99 110 ms), 6 validators of 4 operators, T_global agreed: |T|² 0.850 COLLAPSED',
    )
    expect([chainOf(recording(['alpha-1', { height: 0 }])), chainLine([])]).to.deep.equal([undefined, ''])
  })

  it('says when the validators agree that the mesh has collapsed or broken, and not when they do first', () => {
    const changes = new Changes()
    const news = (chain: Partial<ChainSummary>) => [
      ...changes.since({ running: recording(['alpha-1', chain]) } as unknown as LocalMesh),
    ]
    const lines = [
      { height: 0 },
      {},
      { collapsed: true, magnitudeSquared: 0.953 },
      { height: 1235, collapsed: true },
      {},
    ].map(news)
    expect(lines).to.deep.equal([
      [],
      [],
      ['epoch 1234: agreed that the mesh has collapsed, |T|² 0.953'],
      [],
      ['epoch 1234: agreed that the mesh has broken, |T|² 0.850'],
    ])
  })

  interface Shown {
    collapsed?: boolean
    dissenters?: string[]
    end?: NodeJS.Signals
    silent?: true
  }
  /** A mesh as the view sees it: two nodes, of which the second is `shown`. */
  const mesh = ({ collapsed = false, dissenters = [], end, silent }: Shown): LocalMesh => {
    const value = { t: [1, 0], magnitudeSquared: 0.97, collapsed, nEff: 20, falseAlarm: 1e-7 }
    const global = { ...value, weightAgreeing: 0.75, dissenters }
    const view = {
      status: { peers: { connected: 8 }, coherence: value, cells: [], pins: { pinned: 1207 } },
      coherence: { global },
    }
    const running = (name: string) => ({
      node: NODES.find((node) => node.name === name)!,
      child: { exitCode: null, signalCode: name === 'delta-1' ? (end ?? null) : null },
      view: name === 'delta-1' && (end !== undefined || silent) ? undefined : view,
    })
    return { running: [running('alpha-1'), running('delta-1')] } as unknown as LocalMesh
  }

  it('tells a node that was killed from one that does not answer', () => {
    const rowOf = (shown: Shown) =>
      table(mesh(shown))
        .split('\n')
        .find((line) => line.startsWith('delta-1'))
    expect(rowOf({ end: 'SIGKILL' })).to.contain('ended (SIGKILL)')
    expect(rowOf({ silent: true })).to.contain('does not answer')
  })

  it('shows no coherence without its false-alarm rate, and names the dissenter', () => {
    const lines = table(mesh({ collapsed: true, dissenters: ['delta-1'] })).split('\n')
    for (const line of lines.slice(1)) expect(line).to.contain('1.0e-7')
    expect(lines.at(-1)).to.match(/^MESH .*COLLAPSED .*75 % of the weight agrees, delta-1 dissents/)
  })

  it('shows how many pins each node holds, in the columns of the head', () => {
    const [head, first, , last] = table(mesh({})).split('\n')
    const end = head!.indexOf('PINS') + 'PINS'.length
    expect(first!.slice(0, end)).to.match(/ 8 +1207$/)
    expect(last!.indexOf('0.970')).to.equal(first!.indexOf('0.970'))
  })

  it('says what changed, once, and of agreement only where there is something to agree with', () => {
    const changes = new Changes()
    const news = (shown: Shown) => [...changes.since(mesh(shown))].map((line) => line.replace(/ at .*/, ''))
    expect(news({})).to.deep.equal([])
    const all = ['alpha-1 collapsed', 'delta-1 collapsed', 'MESH collapsed']
    expect(news({ collapsed: true, dissenters: ['delta-1'] })).to.deep.equal([...all, 'delta-1 dissents'])
    expect(news({ collapsed: true, dissenters: ['delta-1'] })).to.deep.equal([])
    expect(news({ collapsed: true })).to.deep.equal(['delta-1 agrees again'])
    news({ collapsed: true, dissenters: ['delta-1'] })
    expect(news({})).to.deep.equal(['alpha-1 broke', 'delta-1 broke', 'MESH broke'])
  })

  it('redraws over all rows of the terminal that the last picture took', () => {
    const written: string[] = []
    const out = Object.assign(new EventEmitter(), { columns: 10, write: (text: string) => written.push(text) })
    const screen = new Screen(out as unknown as NodeJS.WriteStream)
    screen.draw(`${'x'.repeat(25)}\n\ny`)
    screen.draw('z')
    expect(written[1]).to.contain('\u001B[5A')
  })
})
