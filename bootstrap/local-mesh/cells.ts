import type { CellSummary } from '../../node/operations.ts'
import type { NodeView } from './client.ts'
import { NODES, type PlannedNode } from './plan.ts'

/** A cell in the document of `--once --json` (operator.md, "The local mesh"). */
export interface CellView {
  name: string
  /** null while nobody leads it. */
  leader: string | null
  term: number
  commitIndex: number
  voters: string[]
}

/** A node with what it says of itself, if it answers. */
interface Seen {
  node: PlannedNode
  view: NodeView | undefined
}

const votes = ({ role }: PlannedNode): boolean => role === 'full'

/** Each cell as that of its nodes sees it that has come furthest; a cell whose nodes are all silent is left out. */
export function cellsOf(running: readonly Seen[]): CellView[] {
  const names = [...new Set(NODES.filter(votes).map(({ cell }) => cell))]
  return names.flatMap((name) => {
    const views = running.filter(({ node }) => node.cell === name).flatMap(({ view }) => view?.status.cells ?? [])
    const [furthest] = views.sort(byProgress)
    if (furthest === undefined) return []
    const { leader, term, commitIndex, voters } = furthest
    return [{ name, leader, term, commitIndex, voters }]
  })
}

/** @returns why the node's cell is not ready as the node sees it: it has a leader, and all its full nodes vote */
export function cellLacks(node: PlannedNode, [cell]: readonly CellSummary[]): string[] {
  if (!votes(node)) return []
  if (cell === undefined || cell.leader === null) return [`${node.name}: cell ${node.cell} has no leader`]
  const missing = NODES.filter((other) => votes(other) && other.cell === node.cell && !cell.voters.includes(other.name))
  if (missing.length === 0) return []
  return [`${node.name}: ${missing.map(({ name }) => name).join(', ')} does not vote in cell ${node.cell} yet`]
}

/** One line: `CELLS  alpha led by alpha-2 (3 voters, term 4), beta …`; empty while none is known. */
export function cellsLine(running: readonly Seen[]): string {
  const cells = cellsOf(running).map(({ name, leader, term, voters }) => {
    if (leader === null) return `${name} has no leader`
    return `${name} led by ${leader}${voters.length > 1 ? ` (${voters.length} voters, term ${term})` : ''}`
  })
  return cells.length === 0 ? '' : `CELLS    ${cells.join(', ')}`
}

function byProgress(a: CellSummary, b: CellSummary): number {
  const led = Number(b.leader !== null) - Number(a.leader !== null)
  return b.term - a.term || led || b.commitIndex - a.commitIndex
}
