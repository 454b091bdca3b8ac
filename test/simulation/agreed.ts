import type { Configuration, Entry } from '../../consensus/cell/engine.ts'
import { applyEntry, commandCodec, del, entries, initialState, root, type State } from '../../consensus/state/index.ts'
import { type Command, commandId } from './commands.ts'

/** The product's own state, which some schedules keep beside the registers, under the same entries. */
export type Agreed = State

const MEMBER = '12D3KooW'.padEnd(52, '1')
const HEAD = { v: 1 } as const

/** After the first entry, as founders have it: one member, who has the registers as labels. */
export function agreedStart(configuration: Configuration): Agreed {
  const [id, session] = ['founding', { client: 'founding', opened: 0, sequence: 1 }]
  const incarnation = new Uint8Array(16)
  const join = { ...HEAD, id, session, time: 0, type: 'member-join', peerId: MEMBER, incarnation } as const
  const empty = { index: 1, term: 1, kind: 'change', data: new Uint8Array() } as const
  const founded = applyEntry(initialState(), empty, configuration).state
  const { state } = applyEntry(founded, { ...empty, index: 2, kind: 'normal', data: commandCodec.encode(join) })
  return { ...state, applied: { ...state.applied, index: 1 } }
}

export function agreedRoot({ tree }: Agreed): Uint8Array {
  return root(tree).bytes
}

/**
 * Applies an entry whose register command, if it has one, is told as a label, in its client's session.
 *
 * @param isRepeated - whether the registers know the command already
 * @returns `wrong`: what the state machine must never do
 */
export function agreedAfter(
  agreed: Agreed,
  entry: Entry,
  configuration: Configuration | undefined,
  told: { readonly command: Command; readonly isRepeated: boolean } | undefined,
): { readonly agreed: Agreed; readonly wrong: string | undefined } {
  const data = told === undefined ? new Uint8Array() : labelled(told.command)
  const { state, halt, result, changes } = applyEntry(agreed, { ...entry, data }, configuration)
  const at = `at ${entry.index}`
  if (halt !== undefined) return { agreed, wrong: `${halt} ${at}` }
  if (result?.ok === false) return { agreed: state, wrong: `${result.code} ${at}` }
  // Only the index: a command that is tried again changes nothing.
  const isAppliedTwice = told?.isRepeated === true && changes.length > 1
  return { agreed: state, wrong: isAppliedTwice ? `a repeated command changes the state ${at}` : undefined }
}

/** For a mutant. */
export function withoutSessions(agreed: Agreed): Agreed {
  const keys = Array.from(entries(agreed.tree, { prefix: 'session/' }), ([key]) => key)
  return { ...agreed, tree: keys.reduce((tree, key) => del(tree, key), agreed.tree) }
}

function labelled(command: Command): Uint8Array {
  const { client, number, kind, key, value } = command
  const session = { client: `c${client}`, opened: 0, sequence: number }
  const head = { ...HEAD, id: commandId(command), session, time: value }
  if (kind !== 'set' && kind !== 'cas') return commandCodec.encode({ ...head, type: 'noop' })
  return commandCodec.encode({ ...head, type: 'label-set', peerId: MEMBER, key: `r${key}`, value: String(value) })
}
