import type { CommittedEntry, Configuration, StateMachine } from '../../consensus/cell/index.ts'
import { eventually } from '../helpers/processes.ts'
import { Members } from '../unit/consensus/members.ts'
import type { Figure } from './figure.ts'

const COMMANDS = 300_000
const AT_ONCE = 4096
const ID_BYTES = 16
const COMMAND_BYTES = 128
const MEMBERS = [1, 2, 3]

/** Three members in this process, in memory: what engine and driver alone can do. */
export async function batchedEntries(): Promise<Figure> {
  const members = new Members(MEMBERS)
  for (const id of MEMBERS) await members.start(id, { machine: new CountingMachine() })
  const leader = await eventually('a leader', () => members.leader())
  const began = performance.now()
  for (let n = 0; n < COMMANDS; n += AT_ONCE) {
    const ids = Array.from({ length: AT_ONCE }, (_, at) => String(n + at).padStart(ID_BYTES, '0'))
    await Promise.all(ids.map((id) => leader.propose(id, commandOf(id), 60_000)))
  }
  const seconds = (performance.now() - began) / 1000
  await members.stop()
  const name = 'cell of three in one process, 128 B in batches'
  return { name, value: Math.round(COMMANDS / seconds), unit: 'entries/s', target: '≥ 100000' }
}

function commandOf(id: string): Uint8Array {
  const bytes = new Uint8Array(COMMAND_BYTES)
  for (let at = 0; at < ID_BYTES; at++) bytes[at] = id.charCodeAt(at)
  return bytes
}

/** Knows only which command an entry was. */
class CountingMachine implements StateMachine {
  applied = 1
  configuration: Configuration = { voters: MEMBERS, learners: [], votersOutgoing: [], learnersNext: [] }

  async apply(entries: readonly CommittedEntry[]) {
    this.applied = entries.at(-1)!.index
    return entries.map(({ index, data }) => {
      const commandId = data.length === 0 ? undefined : String.fromCharCode(...data.subarray(0, ID_BYTES))
      return { index, commandId, result: undefined }
    })
  }

  async snapshot() {
    return { index: this.applied, root: new Uint8Array([1]) }
  }

  async install(): Promise<void> {
    throw new Error('nobody lags here')
  }
}
