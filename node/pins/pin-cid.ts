import { CID } from 'multiformats/cid'

/** The one spelling of a pin: version 1, so that content that was named by version 0 is not pinned twice. */
export function pinCidOf(cid: CID): string {
  return cid.toV1().toString()
}

/** What is no CID stays as it is, for the cell to refuse. */
export function pinCidOfText(text: string): string {
  try {
    return pinCidOf(CID.parse(text))
  } catch {
    return text
  }
}
