import { cellReasons, namesOf } from './cell-operations.ts'
import type { CellMemberRow, CellService } from './cell/types.ts'
import type { Finding } from './operations.ts'
import type { Parts } from './parts.ts'

/** A joiner fetches a snapshot and its log well within this. */
const LONGEST_CATCH_UP_MS = 60_000
/** Entries; applying takes microseconds each, so that a larger lag is no passing one. */
const LARGEST_LAG = 10_000
/** Entries since the last snapshot: one is taken every 20 000, or at the latest two minutes after a member began to fetch. */
const LONGEST_LOG = 250_000
/** A change of leader may refuse a few; a member that breaks the rules, or whose clock is wrong, tries for ever. */
const MOST_REFUSED = 20
/** A busy disk does it now and then. */
const MOST_SLOW_FLUSHES = 20

/** Known bad states of the cell; nothing where this node has none. */
export async function checkCell(parts: Pick<Parts, 'cell' | 'membership'>): Promise<Finding[]> {
  const { cell } = parts
  if (cell === undefined) return []
  // A cell whose store is damaged has none to show; the first finding says so.
  const members = await cell.members({ stale: true }).catch(() => [])
  const nameOf = namesOf(parts)
  const ofMembers = [tolerance(cell), learners(members), silent(members)]
  const ofDisk = [lag(cell), log(cell), flushes(cell), stores(cell)]
  return [leadership(parts, cell, nameOf), ...ofMembers, ...ofDisk, engine(cell), messages(cell)]
}

const good = (check: string, message: string): Finding => ({ check, ok: true, message })
const warning = (check: string, message: string, remedy: string): Finding => ({ check, ok: true, message, remedy })
const bad = (check: string, message: string, remedy: string): Finding => ({ check, ok: false, message, remedy })

function leadership(parts: Pick<Parts, 'cell'>, { status }: CellService, nameOf: (id: string) => string): Finding {
  const { problem, leader, hasQuorum, term, role } = status
  const [reason] = cellReasons(parts)
  if (reason === undefined && leader !== null) {
    const message = `led by ${nameOf(leader)} in term ${term}`
    if (hasQuorum) return good('cell', message)
    return warning('cell', `${message}; this node is connected to no majority of voters`, 'see kairos peers')
  }
  const message = reason ?? 'no leader'
  if (problem !== null) return bad('cell', message, problem.hint ?? 'see the code in the list of errors, and the log')
  if (role === 'none')
    return bad('cell', message, 'start a member of the cell, and see with kairos peers whether this node reaches it')
  return bad(
    'cell',
    message,
    'start the other voters of kairos members --stale: the cell works with a majority of them',
  )
}

function tolerance({ status: { voters, learners } }: CellService): Finding {
  const spare = Math.floor((voters.length - 1) / 2)
  if (voters.length !== 2) {
    const count = voters.length === 1 ? '1 voter' : `${voters.length} voters`
    return good('cell voters', `${count}; ${Math.max(0, spare)} of them may fail`)
  }
  const next = learners.length > 0 ? 'a third one is catching up: wait for it' : 'invite a third full node'
  return warning('cell voters', '2 voters: when either fails the cell stops', next)
}

function learners(members: CellMemberRow[]): Finding {
  const late = members.filter(({ status, since }) => {
    return status === 'joining' && Date.now() - Date.parse(since) > LONGEST_CATCH_UP_MS
  })
  if (late.length === 0) return good('cell learners', 'none waits for its vote')
  const who = late.map(({ name, behind }) => `${name}${behind === null ? '' : ` (${behind} entries behind)`}`)
  return bad(
    'cell learners',
    `${who.join(', ')} joined over a minute ago and has no vote yet`,
    'start it and see its log: it must reach the leader; one that is gone: kairos members rm NAME',
  )
}

/** Only a leader knows; a warning, since one that has just started counts as silent too. */
function silent(members: CellMemberRow[]): Finding {
  const quiet = members.filter(({ isActive, counts }) => isActive === false && counts === 'voter')
  if (quiet.length === 0) return good('cell answers', 'no voter is known to be silent')
  const names = quiet.map(({ name }) => name).join(', ')
  return warning('cell answers', `${names} does not answer the leader`, 'start it, or kairos members rm NAME')
}

function lag({ status: { commitIndex, appliedIndex } }: CellService): Finding {
  const behind = Math.max(0, commitIndex - appliedIndex)
  if (behind <= LARGEST_LAG) return good('cell state', `${behind} entries wait to be applied`)
  return bad(
    'cell state',
    `${behind} committed entries are not applied here`,
    'the disk or the processor is too slow for what the cell writes: see kairos_cell_log_flush_duration_seconds',
  )
}

function log({ status: { appliedIndex, snapshotIndex } }: CellService): Finding {
  const length = appliedIndex - snapshotIndex
  if (length <= LONGEST_LOG) return good('cell log', `${length} entries since the last snapshot`)
  return bad(
    'cell log',
    `${length} entries since the last snapshot: the log grows`,
    'try kairos cell snapshot; should that fail, its error says why',
  )
}

function flushes({ status: { counters } }: CellService): Finding {
  const { slowFlushes } = counters
  if (slowFlushes <= MOST_SLOW_FLUSHES) return good('cell disk', 'the log is written without delay')
  return warning(
    'cell disk',
    `the log took over half a second to be written ${slowFlushes} times since the start`,
    'the disk is slow or busy: see kairos_cell_log_flush_duration_seconds, and give the node a disk of its own',
  )
}

function messages({ status: { counters } }: CellService): Finding {
  const { refusedMessages } = counters
  if (refusedMessages <= MOST_REFUSED) return good('cell messages', 'members keep the rules')
  return warning(
    'cell messages',
    `${refusedMessages} messages of members were refused since the start`,
    'see the log: a member of another release, one that is damaged, or one whose clock is more than a minute ahead',
  )
}

function engine({ status: { counters } }: CellService): Finding {
  if (counters.traps === 0) return good('cell engine', 'has not trapped')
  return bad(
    'cell engine',
    `trapped ${counters.traps} time${counters.traps === 1 ? '' : 's'} and was rebuilt from the log; nothing is lost`,
    'a defect: report it with kairos doctor --bundle FILE; a restart of the node clears this',
  )
}

function stores({ status: { renewed } }: CellService): Finding {
  if (renewed.length === 0) return good('cell stores', 'were whole when the node started')
  return bad(
    'cell stores',
    `${renewed.join('; ')}; begun anew from the log and the cell`,
    'the disk may be failing: check it; the damaged files lie beside the new ones',
  )
}
