/** How far a node has got. */
export interface SyncHead {
  /** of its last final epoch, 0 for the genesis */
  readonly height: number
  /** CID of that epoch's header, of the genesis at 0; bytes */
  readonly value: Uint8Array
  /** of the first epoch that it keeps, height + 1 when none */
  readonly lowest: number
}

/** A final epoch as it is kept and sent: nothing of it is checked here. */
export interface SyncEpoch {
  readonly height: number
  /** the encoded block */
  readonly block: Uint8Array
  /** the encoded certificate that makes it final */
  readonly certificate: Uint8Array
}
