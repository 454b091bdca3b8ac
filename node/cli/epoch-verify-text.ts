import type { VerifiedEpoch } from '../epoch-file.ts'
import { epochText } from './epoch-text.ts'
import { list } from './text.ts'

/** What was trusted, over which epochs, and what the epoch says. */
export function verifiedText(verified: VerifiedEpoch): string {
  const { trust, path, recomputed, epoch } = verified
  const facts = list([
    ['valid', 'yes'],
    ['trusted', trustedText(verified)],
    ['way', wayText(trust, path)],
    [
      'recomputed',
      recomputed
        ? 'T_global, median, decision and time, from the reports and the state in the file'
        : 'no: the file does not hold the state before the epoch, so the word of its signers stands for T_global',
    ],
  ])
  return `${facts}\n${epochText(epoch)}`
}

function trustedText({ trust, mesh, checkpoint }: VerifiedEpoch): string {
  const name = `the mesh “${mesh.name}” (${mesh.id})`
  return trust === 'genesis' || checkpoint === null
    ? `the genesis of ${name}`
    : `the checkpoint ${checkpoint.height}:${checkpoint.cid}, of ${name}`
}

function wayText(trust: VerifiedEpoch['trust'], path: readonly number[]): string {
  if (path.length === 1) return 'none: the checkpoint is this epoch'
  const between = path.slice(1, -1)
  const over = between.length === 0 ? '' : ` over ${between.length === 1 ? 'epoch' : 'epochs'} ${between.join(', ')}`
  return `from the ${trust}${over} to epoch ${path.at(-1)}, more than a third of the known power each time`
}
