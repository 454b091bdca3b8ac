import {
  applyEntries,
  commandCodec,
  entries,
  fromSorted,
  initialState,
  root,
  set,
  size,
  stateOf,
  type Command,
  type Result,
  type State,
  type Tree,
  type TreeEntry,
} from '../../consensus/state/index.ts'
import { KEY, memberRecord } from '../../consensus/state/records.ts'
import { heldBytes } from '../helpers/held-bytes.ts'
import type { Bench, Figure } from './figure.ts'
import { labels, LABELS_EACH, peerOf, pins } from './state-entries.ts'
import { plantPins } from './pins-planted.ts'
import { nodeFigures, plant } from './state-nodes.ts'

const ENTRIES = 1_000_000
const COMMANDS = 40_000
const TURN = 512

/** A state of a million entries: what it takes in memory, on disk and between nodes. */
export const benchState: Bench = async () => [
  commandsFigure('label-set commands into an empty state', initialState()),
  ...treeFigures('labels', labels),
  ...treeFigures('pins', pins),
  ...(await nodeFigures({ what: 'labels', plant: (cell) => plant(cell, () => labels(ENTRIES)), maxRssMb: 600 })),
  ...(await nodeFigures({ what: 'pins', plant: (cell) => plantPins(cell, ENTRIES), maxRssMb: 700 })),
]

function treeFigures(what: string, make: (count: number) => Iterable<TreeEntry>): Figure[] {
  const before = heldBytes()
  const began = performance.now()
  const state = stateOf(treeOf(make(ENTRIES)))
  root(state.tree)
  const seconds = (performance.now() - began) / 1000
  const bytes = (heldBytes() - before) / ENTRIES
  return [
    { name: `${what}: memory of an entry`, value: Math.round(bytes), unit: 'B', beside: { content: contentOf(state) } },
    { name: `${what}: built and hashed from sorted entries`, value: seconds, unit: 's' },
    commandsFigure(`label-set commands into a million ${what}`, state),
  ]
}

function treeOf(added: Iterable<TreeEntry>): Tree {
  let tree = fromSorted(added)
  for (const [key, value] of entries(initialState().tree)) tree = set(tree, key, value)
  return tree
}

/** Bytes of keys and values, of an entry. */
function contentOf({ tree }: State): number {
  let bytes = 0
  for (const [key, value] of entries(tree)) bytes += key.length + value.byteLength
  return Math.round(bytes / size(tree))
}

/** Each of another label, in turns as the driver gives them; a root once in 4096, as checkpoints ask for it. */
function commandsFigure(name: string, start: State): Figure {
  const commands = Array.from({ length: COMMANDS }, (_, at) => commandCodec.encode(labelSet(at)))
  let state = { ...start, tree: withMembers(start.tree) }
  const first = state.applied.index + 1
  const began = performance.now()
  for (let at = 0; at < COMMANDS; at += TURN) {
    const turn = commands.slice(at, at + TURN)
    const committed = turn.map((data, n) => ({ index: first + at + n, term: 1, kind: 'normal' as const, data }))
    const batch = applyEntries(state, committed, new Map())
    if (batch.applied.some(({ result }) => !(result as Result).ok)) throw new Error('a label was refused')
    state = batch.state
    if (at % 4096 === 0) root(state.tree)
  }
  const seconds = (performance.now() - began) / 1000
  return { name, value: Math.round(COMMANDS / seconds), unit: 'entries/s' }
}

/** Only members have labels. */
function withMembers(tree: Tree): Tree {
  const member = { id: 1, seat: 1, incarnation: new Uint8Array(16), status: 'voter', since: 0 } as const
  let changed = tree
  for (let n = 0; n < ENTRIES / LABELS_EACH; n++) {
    changed = set(changed, KEY.member(peerOf(n)), memberRecord.encode(member))
  }
  return changed
}

function labelSet(n: number): Command {
  const session = { client: 'bench', opened: 0, sequence: n + 1 }
  const place = (n * 7919) % ENTRIES
  const label = {
    peerId: peerOf(Math.floor(place / LABELS_EACH)),
    key: `key-${String(place % LABELS_EACH).padStart(8, '0')}`,
  }
  return { v: 1, id: `bench.${n}`, session, time: n, type: 'label-set', ...label, value: `changed-${n}` }
}
