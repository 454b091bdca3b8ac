import type { CellState } from '../cell/types.ts'

/** The cell as this node has it: a majority is not asked whether it has agreed on more. */
export function asApplied(cell: CellState): CellState {
  return {
    get tree() {
      return cell.tree
    },
    get applied() {
      return cell.applied
    },
    get isLeader() {
      return cell.isLeader
    },
    read: async () => {},
    submit: (request) => cell.submit(request),
    subscribe: (listener, onReplaced) => cell.subscribe(listener, onReplaced),
  }
}
