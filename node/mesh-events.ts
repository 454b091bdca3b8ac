import { CID } from 'multiformats/cid'
import { isPending } from '../consensus/epoch/governance.ts'
import type { FinalEpoch, MeshState, Motion } from '../consensus/epoch/types.ts'
import type { EventLog } from './events.ts'
import type { MeshService } from './mesh/types.ts'

/** 2³⁰: T of an epoch is in Q1.30. */
const ONE = 2 ** 30

type Watched = Pick<MeshService, 'state' | 'onFinal' | 'epoch'>

/** Tells watchers of each epoch that becomes final here, of who contradicted itself, and of what is voted on. */
export function publishMeshEvents(mesh: Watched, events: Pick<EventLog, 'publish'>): void {
  let last = mesh.state
  mesh.onFinal((final, state) => {
    events.publish('epoch', epochOf(final, state))
    for (const change of motionChanges(last, state)) events.publish('motion', { height: state.height, ...change })
    last = state
    if (final.block.evidence.length > 0) void publishEvidence(mesh, events, state.height)
  })
}

function epochOf({ block: { header, reports }, certificate }: FinalEpoch, { height, head }: MeshState) {
  const [re, im] = header.t
  return {
    height,
    cid: CID.decode(head).toString(),
    time: header.time,
    round: certificate.round,
    reports: reports.length,
    t: [re / ONE, im / ONE],
    collapsed: header.decision.collapsed,
  }
}

/** One that cannot be read again is no longer kept: nobody is told. */
async function publishEvidence(mesh: Watched, events: Pick<EventLog, 'publish'>, height: number): Promise<void> {
  const epoch = await mesh.epoch(height).catch(() => undefined)
  for (const row of epoch?.evidenceRows ?? []) {
    events.publish('equivocation', { peerId: row.key, kind: row.kind, height: row.height, epoch: height })
  }
}

function* motionChanges(before: MeshState, now: MeshState): Generator<{ change: string; id: string }> {
  const was = byId(before.motions)
  const is = byId(now.motions)
  for (const [id, motion] of is) {
    const old = was.get(id)
    if (old === undefined) yield { change: 'opened', id }
    if (motion.carried !== undefined && old?.carried === undefined) yield { change: 'carried', id }
    // The state remembers it for a while after its end.
    const isNews = old === undefined || isPending(old, before.height)
    if (isNews && !isPending(motion, now.height)) yield { change: endOf(motion), id }
  }
  for (const [id, motion] of was) {
    if (!is.has(id) && isPending(motion, before.height)) yield { change: endOf(motion), id }
  }
}

function endOf({ carried }: Motion): string {
  return carried === undefined ? 'closed' : 'holds'
}

function byId(motions: readonly Motion[]): Map<string, Motion> {
  return new Map(motions.map((motion) => [Buffer.from(motion.id).toString('hex'), motion]))
}
