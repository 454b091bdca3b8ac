import { linksOf, encodeLists } from '../../../consensus/epoch/block-codec.ts'
import { witnessesOf } from '../../../consensus/epoch/certificate.ts'
import { timeAfter } from '../../../consensus/epoch/check-block.ts'
import {
  applyBlock,
  digestOf,
  extensionCodec,
  headerCodec,
  hex,
  partsCodec,
  valueOf,
  type EpochHeader,
  type MeshState,
  type OpenedBlock,
} from '../../../consensus/epoch/index.ts'
import { recompute } from '../../../consensus/epoch/reports.ts'
import type { CommitCertificate, ProposedBlock } from '../../../consensus/mesh/index.ts'
import type { Dice } from '../dice.ts'
import type { Identity, Keys } from './keys.ts'

export type Spoiling = Partial<Omit<OpenedBlock, 'header' | 'value'>> & { readonly header?: Partial<EpochHeader> }

/** A block with other contents, its links and value made to fit. */
export function sealed(block: OpenedBlock, { header, ...lists }: Spoiling): ProposedBlock {
  const parts = encodeLists({ ...block, ...lists })
  const encoded = headerCodec.encode({ ...block.header, ...linksOf(parts), ...header })
  return { value: valueOf(encoded), bytes: partsCodec.encode({ header: encoded, ...parts }) }
}

/** Another block that is valid, too: with a command of its proposer, if that is taken. */
export function otherBlock(
  keys: Keys,
  by: Identity,
  state: MeshState,
  block: OpenedBlock,
  dice: Dice,
): ProposedBlock | undefined {
  const change = { type: 'policy-set', policy: { epochMs: dice.whole(100, 500) } }
  const expires = state.height + dice.whole(2, 200)
  const move = keys.command(by, { kind: 'move', at: state.height, change, expires, effectiveAt: 0 })
  const governance = dice.chance(0.3) && block.governance.length > 0 ? [] : [...block.governance, move]
  try {
    applyBlock(state, { ...block, governance })
    return sealed(block, { governance })
  } catch {
    return undefined
  }
}

/** A block that is not valid, in one way of many. */
export function spoiltBlock(keys: Keys, state: MeshState, block: OpenedBlock, dice: Dice): ProposedBlock {
  const spoilings = Object.values(SPOILINGS).flatMap((spoil) => spoil(block, state, keys, dice) ?? [])
  return sealed(block, dice.pick(spoilings)!)
}

type Spoil = (block: OpenedBlock, state: MeshState, keys: Keys, dice: Dice) => Spoiling | undefined

const SPOILINGS: Record<string, Spoil> = {
  time: ({ header }, _state, _keys, dice) => ({ header: { time: header.time + dice.whole(1, 100_000) } }),
  t: ({ header }) => ({ header: { t: [header.t[0] - 1, header.t[1]] } }),
  median: ({ header }) => ({ header: { median: [header.median[0], header.median[1] + 1] } }),
  decision: ({ header }) => ({ header: { decision: { ...header.decision, collapsed: !header.decision.collapsed } } }),
  state: ({ header }) => ({ header: { state: header.previous } }),
  previous: ({ header }) => ({ header: { previous: header.state } }),
  round: ({ header }) => ({ header: { round: header.round + 1 } }),
  validators: ({ header }) => ({ header: { nextValidators: header.state } }),
  'report left out': (block, state, keys, dice) => {
    if (block.reports.length === 0) return undefined
    const reports = block.reports.toSpliced(dice.whole(0, block.reports.length - 1), 1)
    const included = reports.map((bytes) => ({ bytes, ...keys.ports.openReport(bytes, digestName(bytes))! }))
    return { reports, header: recompute(state, included, keys.ports.agree) }
  },
  'report twice': ({ reports }) => (reports.length === 0 ? undefined : { reports: [...reports, reports[0]!] }),
  'fewer precommits': (block, state) => {
    const signatures = block.precommits?.signatures
    if (signatures === undefined) return undefined
    return timed(block, state, { ...block.precommits!, signatures: signatures.slice(0, signatures.length / 2) })
  },
  // The clock that another validator showed, without its signature.
  'unsigned extension': (block, state, _keys, dice) => {
    const { precommits } = block
    if (precommits === null) return undefined
    const at = dice.whole(0, precommits.signatures.length - 1)
    const signatures = precommits.signatures.map((one, index) => {
      if (index !== at || one.extension === undefined) return one
      const said = extensionCodec.decode(one.extension.bytes)
      return { ...one, extension: { ...one.extension, bytes: extensionCodec.encode({ ...said, time: said.time + 1 }) } }
    })
    return timed(block, state, { ...precommits, signatures })
  },
  'forged command': ({ governance }, _state, keys) => {
    const [other] = keys.identities
    const change = { type: 'policy-set', policy: { epochMs: 777 } }
    const signed = keys.command(other!, { kind: 'move', at: 0, change, expires: 99, effectiveAt: 0 })
    signed[signed.length - 1]! ^= 1
    return { governance: [...governance, signed] }
  },
}

/** With the time that follows from such precommits. */
function timed({ header }: OpenedBlock, state: MeshState, precommits: CommitCertificate): Spoiling {
  const witnesses = witnessesOf(precommits, state.lastValidators, state.reporters.length)
  return { precommits, header: { time: witnesses === undefined ? header.time : timeAfter(state, witnesses) } }
}

function digestName(bytes: Uint8Array): string {
  return hex(digestOf(bytes))
}
