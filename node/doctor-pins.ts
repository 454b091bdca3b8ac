import type { Finding } from './operations.ts'
import type { Parts } from './parts.ts'
import type { CellPinHealth, PinHealth } from './pins/health.ts'

/** Of one that moves a block comes every few seconds, of one that waits for its turn soon after. */
const LONGEST_IDLE_MS = 300_000

/** Known bad states of the pins; nothing where this node keeps none. */
export async function checkPins({ pins }: Pick<Parts, 'pins'>): Promise<Finding[]> {
  if (pins === undefined) return []
  const health = await pins.health()
  const own = [failed(health), queue(health)]
  const { cell } = health
  return cell === undefined ? own : [...own, copies(cell), repair(cell), proofs(cell), space(cell)]
}

const good = (check: string, message: string): Finding => ({ check, ok: true, message })
const warning = (check: string, message: string, remedy: string): Finding => ({ check, ok: true, message, remedy })
const bad = (check: string, message: string, remedy: string): Finding => ({ check, ok: false, message, remedy })

const counted = (count: number, noun = 'pin'): string => `${count} ${noun}${count === 1 ? '' : 's'}`

function failed({ failed: { count, first } }: PinHealth): Finding {
  if (first === undefined) return good('pins', 'none has failed here')
  const why = first.reason === null ? '' : `: ${first.reason.message || first.reason.code}`
  return bad(
    'pins',
    `${counted(count)} failed here; the first one is ${first.cid}${why}`,
    'kairos pin status --local --filter pin_error lists them; when the cause is mended: kairos pin recover --local',
  )
}

function queue({ underWay: { count, idleMs = 0 } }: PinHealth): Finding {
  if (count === 0) return good('pin queue', 'empty')
  if (idleMs < LONGEST_IDLE_MS) return good('pin queue', `${counted(count)} under way`)
  return bad(
    'pin queue',
    `${counted(count)} under way, and nothing has moved for ${Math.round(idleMs / 60_000)} minutes`,
    'kairos pin status --local --filter pinning,pin_queued tells what each waits for; start a node that has the content',
  )
}

function copies({ agreed, short: { count, looked, first }, away }: CellPinHealth): Finding {
  const of = looked < agreed ? `the first ${looked} pins` : counted(agreed)
  if (first === undefined) return good('pin copies', `of ${of} none lacks a place for a copy`)
  const gone = away.length === 0 ? '' : ` (away: ${away.join(', ')})`
  return bad(
    'pin copies',
    `${count} of ${of} cannot have min copies${gone}; ${first.name || first.cid} wants ${first.wants} and has ${first.has}`,
    'start the members that are away, add one (kairos invite --role full), or ask for fewer copies: kairos pin add CID --rmin N',
  )
}

function repair({ isRepairing, isLeader, away }: CellPinHealth): Finding {
  const where = isLeader ? 'here, where the cell is led' : 'here, should this node lead'
  if (isRepairing) return good('pin repair', `on ${where}`)
  const remedy = 'kairos config set pins.repair true, and start the node again'
  if (away.length === 0) return warning('pin repair', `off ${where}`, remedy)
  const message = `off ${where}, while ${away.join(', ')} ${away.length === 1 ? 'is' : 'are'} away`
  return isLeader ? bad('pin repair', message, remedy) : warning('pin repair', message, remedy)
}

function proofs({ unproven }: CellPinHealth): Finding {
  if (unproven === 0) return good('pin proofs', 'no copy has failed its last proof')
  return bad(
    'pin proofs',
    `${counted(unproven)} with a copy that could not prove itself`,
    'kairos pin status --filter pin_error names the nodes; there: kairos repo verify --repair, and look at the disk',
  )
}

function space({ isSpaceKnown }: CellPinHealth): Finding {
  if (isSpaceKnown) return good('pin space', 'the cell knows how much room is here')
  return warning(
    'pin space',
    'the cell does not know yet how much room is here',
    'this node tells within half a minute of its start while the cell has a leader; see kairos cell status',
  )
}
