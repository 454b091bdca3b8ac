/** What one node has found out of one copy. */
export interface Verdict {
  /** CID as it is agreed on */
  readonly cid: string
  /** whose copy */
  readonly peerId: string
  readonly isProven: boolean
  /** Unix milliseconds */
  readonly at: number
}
