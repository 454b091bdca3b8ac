import type { ChainSummary } from '../../node/operations.ts'
import type { NodeView } from './client.ts'
import { NODES, type PlannedNode } from './plan.ts'

/** The mesh's record in the document of `--once --json`. */
export type ChainView = Pick<
  ChainSummary,
  'height' | 'finalizedMs' | 't' | 'magnitudeSquared' | 'collapsed' | 'validators' | 'operators'
>

/** A node with what it says of itself, if it answers. */
interface Seen {
  node: PlannedNode
  view: NodeView | undefined
}

/** A node may be asked between an epoch and the next. */
const MOST_BEHIND = 3

const votes = ({ role }: PlannedNode): boolean => role === 'full'
const VALIDATORS = NODES.filter(votes).length

/** The record as that validator sees it that has come furthest; undefined while none knows of an epoch. */
export function chainOf(running: readonly Seen[]): ChainView | undefined {
  const summaries = running.flatMap(({ node, view }) => (view !== undefined && votes(node) ? [view.status.chain] : []))
  const [furthest] = summaries.sort((a, b) => b.height - a.height)
  if (furthest === undefined || furthest.height === 0) return undefined
  const { height, finalizedMs, t, magnitudeSquared, collapsed, validators, operators } = furthest
  return { height, finalizedMs, t, magnitudeSquared, collapsed, validators, operators }
}

/** @returns why the record is not ready as the node sees it: all full nodes vote, an epoch is final, and it keeps up */
export function chainLacks(node: PlannedNode, chain: ChainSummary): string[] {
  if (chain.height === 0) return [`${node.name}: no epoch is final yet`]
  if (chain.behind > MOST_BEHIND) return [`${node.name}: ${chain.behind} epochs behind`]
  if (chain.validators < VALIDATORS)
    return [`${node.name}: ${chain.validators} of ${VALIDATORS} nodes vote on epochs yet`]
  if (!votes(node)) return []
  if (chain.role !== 'validator') return [`${node.name} does not vote on epochs yet`]
  // What is there may be of an earlier run.
  return chain.finalizedMs === null ? [`${node.name} has decided no epoch since its start`] : []
}

/** One line: `CHAIN    epoch 41, final after 38 ms (p99 61 ms), …`; empty before the first epoch. */
export function chainLine(running: readonly Seen[]): string {
  const chain = chainOf(running)
  if (chain === undefined) return ''
  const { height, finalizedMs, magnitudeSquared, collapsed, validators, operators } = chain
  const pace = finalizedMs === null ? '' : `, final after ${ms(finalizedMs.p50)} (p99 ${ms(finalizedMs.p99)})`
  const agreed = `T_global agreed: |T|² ${magnitudeSquared?.toFixed(3) ?? '-'}${collapsed === true ? ' COLLAPSED' : ''}`
  return `CHAIN    epoch ${height}${pace}, ${validators} validators of ${operators} operators, ${agreed}`
}

function ms(value: number): string {
  return `${Math.round(value)} ms`
}
