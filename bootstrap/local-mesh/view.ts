import type { GlobalCoherence } from '../../node/operations.ts'
import { cellsLine, cellsOf } from './cells.ts'
import { chainLine, chainOf } from './chain.ts'
import { endOf, type LocalMesh, type RunningNode } from './mesh.ts'

const BAR_CELLS = 20
const CLEAR_BELOW = '\u001B[0J'

const bar = (share: number): string => {
  const full = Math.round(Math.min(1, Math.max(0, share)) * BAR_CELLS)
  return '█'.repeat(full) + '░'.repeat(BAR_CELLS - full)
}

/** One row a node, who leads the cells, the record, the mesh's own value last. */
export function table(mesh: LocalMesh): string {
  const rows = mesh.running.map(nodeRow)
  const head = `${'NODE'.padEnd(9)}${'ROLE'.padEnd(9)}${'CELL'.padEnd(7)}PEERS   PINS  |T|²  ${' '.repeat(BAR_CELLS)}  STATE      FALSE ALARM  LISTENS TO`
  const lines = [cellsLine(mesh.running), chainLine(mesh.running)].filter((line) => line !== '')
  return [head, ...rows, ...lines, globalRow(globalOf(mesh))].join('\n')
}

/** What the first node that answers makes of the whole mesh: they all compute the same. */
export function globalOf(mesh: LocalMesh): GlobalCoherence | undefined {
  return mesh.running.find(({ view }) => view !== undefined)?.view?.coherence.global
}

function nodeRow(running: RunningNode): string {
  const { node, view } = running
  const label = node.name.padEnd(9) + node.role.padEnd(9) + node.cell.padEnd(7)
  const end = endOf(running)
  if (end !== undefined) return `${label}ended (${end})`
  if (view === undefined) return `${label}does not answer`
  const peers = String(view.status.peers.connected).padStart(5)
  const pins = (view.status.pins === null ? '-' : String(view.status.pins.pinned)).padStart(7)
  const own = view.status.coherence
  if (own === null) return `${label}${peers}${pins}  listens`
  const value = own.magnitudeSquared.toFixed(3)
  const state = own.collapsed ? 'COLLAPSED' : ''
  const alarm = own.falseAlarm.toExponential(1)
  return `${label}${peers}${pins}  ${value}  ${bar(own.magnitudeSquared)}  ${state.padEnd(11)}${alarm.padEnd(13)}${node.column ?? ''}`
}

function globalRow(global: GlobalCoherence | undefined): string {
  if (global === undefined) return 'mesh     no node answers'
  const agree = `${Math.round(global.weightAgreeing * 100)} % of the weight agrees`
  const dissent = global.dissenters.length === 0 ? '' : `, ${global.dissenters.join(', ')} dissents`
  const state = global.collapsed ? 'COLLAPSED' : ''
  const value = global.magnitudeSquared.toFixed(3)
  const alarm = global.falseAlarm.toExponential(1)
  return `${'MESH'.padEnd(37)}  ${value}  ${bar(global.magnitudeSquared)}  ${state.padEnd(11)}${alarm.padEnd(13)}${agree}${dissent}`
}

/** Redraws in place. */
export class Screen {
  #lines = 0
  readonly #out: NodeJS.WriteStream

  constructor(out: NodeJS.WriteStream) {
    this.#out = out
  }

  draw(text: string): void {
    const up = this.#lines > 0 ? `\u001B[${this.#lines}A\r` : ''
    this.#out.write(`${up}${CLEAR_BELOW}${text}\n`)
    const { columns = Infinity } = this.#out
    this.#lines = text.split('\n').reduce((sum, line) => sum + Math.max(1, Math.ceil(line.length / columns)), 0)
  }
}

/** Says what changed since the last look: for logs and terminals that cannot be redrawn. */
export class Changes {
  readonly #last = new Map<string, boolean>()
  readonly #leader = new Map<string, string>()

  /** Nothing is news that starts as it would be without a signal. */
  #changed(key: string, value: boolean): boolean {
    const before = this.#last.get(key) ?? false
    this.#last.set(key, value)
    return before !== value
  }

  *since(mesh: LocalMesh): Generator<string> {
    for (const { node, view } of mesh.running) {
      const own = view?.status.coherence
      if (own !== undefined && own !== null) yield* this.#flip(node.name, own)
    }
    yield* this.#leaders(mesh)
    yield* this.#agreed(mesh)
    const global = globalOf(mesh)
    if (global === undefined) return
    yield* this.#flip('MESH', global)
    for (const { node } of mesh.running) {
      const dissents = global.dissenters.includes(node.name)
      if (!this.#changed(`dissent ${node.name}`, dissents)) continue
      if (dissents) yield `${node.name} dissents`
      // Where nothing has collapsed there is nothing to agree with.
      else if (global.collapsed) yield `${node.name} agrees again`
    }
  }

  /** The first leader of a cell is no news. */
  *#leaders({ running }: LocalMesh): Generator<string> {
    for (const { name, leader } of cellsOf(running)) {
      if (leader === null) continue
      const before = this.#leader.get(name)
      this.#leader.set(name, leader)
      if (before !== undefined && before !== leader) yield `cell ${name} is led by ${leader}`
    }
  }

  /** What the validators have signed. */
  *#agreed({ running }: LocalMesh): Generator<string> {
    const { height, collapsed, magnitudeSquared } = chainOf(running) ?? {}
    if (height === undefined || !this.#changed('record', collapsed === true)) return
    const what = collapsed === true ? 'has collapsed' : 'has broken'
    yield `epoch ${height}: agreed that the mesh ${what}, |T|² ${magnitudeSquared?.toFixed(3) ?? '-'}`
  }

  *#flip(
    name: string,
    value: Pick<GlobalCoherence, 'collapsed' | 'magnitudeSquared' | 'falseAlarm'>,
  ): Generator<string> {
    if (!this.#changed(name, value.collapsed)) return
    const alarm = `false alarm ${value.falseAlarm.toExponential(1)}`
    yield `${name} ${value.collapsed ? 'collapsed' : 'broke'} at |T|² ${value.magnitudeSquared.toFixed(3)} (${alarm})`
  }
}
