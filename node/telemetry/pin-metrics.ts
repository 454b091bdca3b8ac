import { pinCount } from '../../consensus/state/index.ts'
import type { CellState } from '../cell/types.ts'
import type { Content, Transfer } from '../content/index.ts'
import { ERRORS } from '../error-table.ts'
import type { PinService } from '../pins/open.ts'
import type { PinEvent } from '../pins/service.ts'
import type { Metrics } from './metrics.ts'

const UNDER_WAY = ['pin_queued', 'pinning', 'pin_error', 'unpin_queued', 'unpinning', 'unpin_error'] as const
type AuditResult = 'proven' | 'failed' | 'unreachable'

/** What happens to pins, as it happens. */
export interface PinCounters {
  event(event: PinEvent): void
  audit(result: AuditResult): void
  refused(protocol: 'blocks' | 'audit', code: string): void
  transferred(what: Transfer, blocks: number, bytes: number): void
}

export function pinCounters({ counter }: Metrics): PinCounters {
  const changes = counter('kairos_pins_changes_total', 'Changes of the pinset and of the pins here, by kind', [
    'change',
  ])
  const moves = counter('kairos_pins_repair_moves_total', 'Copies that repair has moved, by reason', ['reason'])
  const audits = counter('kairos_pins_audits_total', 'Challenges to other holders, by result', ['result'])
  const refusals = counter('kairos_blocks_refused_total', 'Requests of peers refused, by protocol and code', [
    'protocol',
    'code',
  ])
  const transfers = {
    fetched: transferOf(counter, 'fetched', 'that came from other nodes because they were wanted'),
    pushed: transferOf(counter, 'pushed', 'that members have pushed here'),
    served: transferOf(counter, 'served', 'that left to other nodes that wanted them'),
  }
  return {
    event({ change, reason }) {
      changes.inc({ change })
      if (change === 'moved') moves.inc({ reason: reason ?? 'other' })
    },
    audit: (result) => audits.inc({ result }),
    refused: (protocol, code) => refusals.inc({ protocol, code: code in ERRORS ? code : 'other' }),
    transferred(what, blocks, bytes) {
      transfers[what].blocks.inc(blocks)
      transfers[what].bytes.inc(bytes)
    },
  }
}

function transferOf(counter: Metrics['counter'], what: Transfer, which: string) {
  return {
    blocks: counter(`kairos_blocks_${what}_total`, `Blocks ${which}`),
    bytes: counter(`kairos_blocks_${what}_bytes_total`, `Bytes of blocks ${which}`),
  }
}

export interface PinParts {
  pins: Pick<PinService, 'counts'>
  content: Pick<Content, 'repo' | 'local'>
  cell: Pick<CellState, 'tree'> | undefined
}

/** What is there now, read at each scrape. */
export function observePins({ gauge, beforeScrape }: Metrics, { pins, content, cell }: PinParts): void {
  const agreed = gauge('kairos_pins_agreed_count', 'Pins that the cell has agreed on')
  const here = gauge('kairos_pins_here_count', 'Pins of this node, by state', ['state'])
  const underWay = gauge('kairos_pins_under_way_count', 'Pins of this node that are not in a final state', ['status'])
  const used = gauge('kairos_repo_used_bytes', 'Bytes of blocks')
  const quota = gauge('kairos_repo_quota_bytes', 'Bytes of blocks that may be kept')
  const blocks = gauge('kairos_repo_blocks_count', 'Blocks')
  const pinned = gauge('kairos_repo_pinned_bytes', 'Bytes of blocks that pins hold')
  beforeScrape(async () => {
    if (cell !== undefined) agreed.set(pinCount(cell.tree))
    const [repo, held] = await Promise.all([content.repo.stat(), content.local.stat()])
    for (const [state, count] of Object.entries(repo.pins)) here.set({ state }, count)
    const { counts } = pins
    for (const status of UNDER_WAY) underWay.set({ status }, counts[status] ?? 0)
    used.set(repo.usedBytes)
    quota.set(repo.quotaBytes)
    blocks.set(repo.blocks)
    pinned.set(held.bytes)
  })
}
