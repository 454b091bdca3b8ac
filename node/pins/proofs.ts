/** What audits have found out of copies; soft, as everything that is observed. */
export interface Proofs {
  /** When a copy last answered a challenge rightly, Unix milliseconds. */
  provenAt(cid: string, peerId: string): number | undefined
  /** Peer ids whose copy was challenged and could not be proven. */
  badCopies(cid: string): readonly string[]
}
