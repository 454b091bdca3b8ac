import type { Change, Configuration, EngineStatus } from './engine.ts'

/** Who ought to be a member, as the agreed state has it. */
export interface DesiredMember {
  readonly id: number
  readonly isRemoved: boolean
}

/** A learner this close to the leader's log has caught up. */
const CAUGHT_UP = 64

/**
 * What a leader does next to bring the configuration to what the state says: strangers become learners, learners that have
 * caught up become voters, and the removed go: first their vote, of which they still learn (who leaves may stop then, and
 * a cell of two needs both to decide it), then the rest. Several at once are one joint change.
 *
 * @returns no changes when all is as it should be, when one is under way, or when this node does not lead
 */
export function nextChanges(
  desired: readonly DesiredMember[],
  configuration: Configuration,
  status: EngineStatus,
): Change[] {
  if (status.role !== 'leader' || configuration.votersOutgoing.length > 0) return []
  const voters = new Set(configuration.voters)
  const learners = new Set(configuration.learners)
  const hasCaughtUp = (id: number) => {
    const progress = status.progress.find((one) => one.id === id)
    return (
      progress !== undefined && progress.active && progress.match > 0 && progress.match + CAUGHT_UP >= status.lastIndex
    )
  }
  return desired.flatMap(({ id, isRemoved }): Change[] => {
    if (isRemoved && voters.has(id)) return [{ kind: 'learner', id }]
    if (isRemoved) return learners.has(id) ? [{ kind: 'remove', id }] : []
    if (learners.has(id)) return hasCaughtUp(id) ? [{ kind: 'voter', id }] : []
    return voters.has(id) ? [] : [{ kind: 'learner', id }]
  })
}

/** @returns the voter, other than this one, that holds most of the log and answers; undefined when nobody does */
export function successor(status: EngineStatus, configuration: Configuration, self: number): number | undefined {
  const candidates = status.progress.filter(
    ({ id, active }) => id !== self && active && configuration.voters.includes(id),
  )
  return candidates.toSorted((a, b) => b.match - a.match)[0]?.id
}
