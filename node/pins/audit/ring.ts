import { CHALLENGED_AT_ONCE } from './constants.ts'

/**
 * Whose copies a holder challenges in a round: some of those that come after it in the ring of all holders, others in
 * each round. So in every round each copy is challenged by as many as any other, whatever their number.
 *
 * @param holders - peer ids; also without `self`, who then challenges as if it stood among them
 * @param round - ≥ 0, the same at all of them
 */
export function challengedBy(self: string, holders: readonly string[], round: number): string[] {
  const ring = holders.filter((peerId) => peerId !== self).toSorted()
  const behind = Math.max(
    0,
    ring.findIndex((peerId) => peerId > self),
  )
  const count = Math.min(CHALLENGED_AT_ONCE, ring.length)
  return Array.from({ length: count }, (_, at) => ring[(behind + round * CHALLENGED_AT_ONCE + at) % ring.length]!)
}
