import type { MeshState } from '../../consensus/epoch/index.ts'
import { cidText } from '../../consensus/light/text.ts'
import { toleratedFaults } from '../../protocols/admission/index.ts'
import { CodedError } from '../../protocols/shared/errors.ts'
import type { ChainSummary } from '../operations-mesh.ts'
import type { ChainHead } from './chain-head.ts'
import { complexOf, squared, type Naming } from './documents.ts'
import type { MeshTally } from './tally.ts'

export interface SummaryInit {
  state: MeshState
  /** of the head; undefined at height 0 */
  last: Pick<ChainSummary, 't' | 'collapsed'> | undefined
  trust: ChainHead['trust']
  tally: MeshTally
  /** heights behind the highest that a peer told */
  behind: number
  problem: CodedError | undefined
  isSelf: Naming['isSelf']
}

export function summaryOf({ state, last, trust, tally, behind, problem, isSelf }: SummaryInit): ChainSummary {
  const { height, time, head, validators, operators } = state
  const t = last?.t ?? null
  return {
    height,
    cid: cidText(head),
    time: height === 0 ? null : new Date(time).toISOString(),
    role: validators.some(({ key }) => isSelf(key)) ? 'validator' : 'follower',
    finalizedMs: tally.finalizedMs,
    t,
    magnitudeSquared: t === null ? null : squared(t),
    collapsed: last?.collapsed ?? null,
    validators: validators.length,
    operators: operators.length,
    toleratedFaults: toleratedFaults(state),
    trust,
    behind,
    problem: problem === undefined ? null : problemOf(problem),
    counters: { ...tally.counters },
  }
}

/** Of the head: its T is that of the epoch before. */
export function lastOf({
  block,
}: {
  block: { header: { t: readonly [number, number]; decision: { collapsed: boolean } } }
}) {
  const { t, decision } = block.header
  return { t: complexOf(t), collapsed: decision.collapsed }
}

function problemOf({ code, message, hint }: CodedError): NonNullable<ChainSummary['problem']> {
  return { code, message, ...(hint === undefined ? {} : { hint }) }
}

/** Why nothing can become final as far as this validator sees; undefined when enough of the others are connected. */
export function missingQuorum({ validators }: MeshState, naming: Naming): CodedError | undefined {
  const powerOf = (of: MeshState['validators']): number => of.reduce((sum, { power }) => sum + power, 0)
  const absent = validators.filter(({ key }) => !naming.isConnected(key))
  const total = powerOf(validators)
  if ((total - powerOf(absent)) * 3 > total * 2) return undefined
  const names = absent.map(({ key }) => naming.named(key).name).join(', ')
  const are = absent.length === 1 ? 'is' : 'are'
  return new CodedError('E_MESH_NO_QUORUM', `no epoch becomes final: ${names} ${are} not connected`, {
    hint: 'start them, or see with kairos peers why not: more than two thirds of the power must be there',
  })
}
