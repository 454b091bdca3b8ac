import { timeOfCommand } from '../../consensus/state/index.ts'
import { proposedIn } from '../../wasm/raft/proposals.ts'

/** A clock that is further ahead than this is wrong; those of the others must not follow it. */
export const MAX_AHEAD_MS = 60_000

/**
 * The state's time is that of its leader, made monotone: were a command taken from a member whose clock is years ahead,
 * no ticket would ever be good again and every timed pin be over.
 *
 * @param message - of the engine
 * @param now - the leader's time, Unix milliseconds
 * @returns by how many milliseconds a forwarded command is too far ahead of it; 0 when none is
 */
export function aheadBy(message: Uint8Array, now: number): number {
  const ahead = Math.max(0, ...proposedIn(message).map((command) => timeOfCommand(command) - now))
  return ahead > MAX_AHEAD_MS ? ahead : 0
}
