import type { ChainSummary, EpochDocument, EpochRow } from '../operations.ts'
import { list, printable, table } from './text.ts'

type Pair = [label: string, value: string]

/** The record in one line of `status`; how many may lie stands in its line of operators. */
export function chainText(chain: ChainSummary): string {
  const { height, finalizedMs, magnitudeSquared, collapsed, behind, problem } = chain
  const head =
    height === 0 || magnitudeSquared === null
      ? 'no epoch is final yet'
      : `epoch ${height} of ${chain.time}, T_global agreed ${power(magnitudeSquared, collapsed === true)}`
  const pace = finalizedMs === null ? '' : `, final after ${ms(finalizedMs.p50)} (p99 ${ms(finalizedMs.p99)})`
  const late = behind === 0 ? '' : `, ${behind} behind`
  const trouble = problem === null ? '' : `; ${problem.message} (${problem.code})`
  return `${head}${pace}${late} (${partText(chain)}; rests on the ${chain.trust})${trouble}`
}

function partText({ role, validators }: ChainSummary): string {
  if (role === 'follower') return `follows ${counted(validators, 'validator')}`
  return validators === 1 ? 'the only validator' : `one of ${validators} validators`
}

const HEADER = ['HEIGHT', 'TIME', 'ROUND', 'PROPOSER', 'REPORTS', '|T|²', 'STATE', 'CHANGES', 'EVIDENCE', 'CID']

export function epochsText(rows: EpochRow[]): string {
  return table(HEADER, rows.map(columns))
}

function columns(row: EpochRow): string[] {
  return [
    String(row.height),
    row.time,
    String(row.round),
    nameOr(row.proposerName, row.proposer),
    String(row.reports),
    row.magnitudeSquared.toFixed(3),
    row.collapsed ? 'collapsed' : 'open',
    String(row.governance),
    String(row.evidence),
    row.cid,
  ]
}

export function epochText(epoch: EpochDocument): string {
  const { certificate, decision } = epoch
  const parts = [
    list([...headPairs(epoch), ...factPairs(epoch)]),
    `\nSigned by ${share(certificate.power, certificate.total)} of the power, in round ${certificate.round}:\n`,
    table(
      ['SIGNER', 'POWER'],
      certificate.signers.map(({ peerId, name, power }) => [nameOr(name, peerId), share(power, certificate.total)]),
    ),
  ]
  if (epoch.reportRows.length === 0) return parts.join('')
  const reporting = `${Math.round(decision.reporting * 100)} % of the weight reports`
  parts.push(
    `\nReports of epoch ${epoch.height - 1} (${reporting}, ${Math.round(decision.agreeing * 100)} % agrees):\n`,
  )
  parts.push(table(['AUTHOR', 'CELL', '|T|²', 'COUNTED'], epoch.reportRows.map(reportColumns)))
  return parts.join('')
}

function headPairs(epoch: EpochDocument): Pair[] {
  return [
    ['epoch', `${epoch.height}, ${epoch.cid}`],
    ['time', epoch.time],
    ['proposed by', `${nameOr(epoch.proposerName, epoch.proposer)} in round ${epoch.round}`],
    ['T_global', `${point(epoch.t)}, ${power(epoch.magnitudeSquared, epoch.collapsed)}`],
    ['median', point(epoch.median)],
    ['previous', epoch.previous],
    ['state before', epoch.state],
    ['validators', epoch.validators.cid],
    ['next validators', epoch.validators.nextCid],
  ]
}

/** What else it says: mostly nothing. */
function factPairs({ attestations, governanceRows, evidenceRows }: EpochDocument): Pair[] {
  return [
    ...attestations.map(({ cell, epoch, root, t, revoked }): Pair => {
      const own = t === null ? 'no T_cell' : `T_cell ${point(t)}`
      const gone = revoked.length === 0 ? '' : `; revokes ${revoked.join(', ')}`
      return ['attested', `cell ${cell}, epoch ${epoch}, state ${root}, ${own}${gone}`]
    }),
    ...governanceRows.map(({ by, kind, text }): Pair => [kind === 'move' ? 'moved' : 'voted', `${text}, by ${by}`]),
    ...evidenceRows.map(({ key, height, kind }): Pair => [
      'evidence',
      `${key} contradicted itself at ${height} (${kind})`,
    ]),
  ]
}

function reportColumns({ name, peerId, cell, t: [re, im], counted }: EpochDocument['reportRows'][number]): string[] {
  return [nameOr(name, peerId), cell, (re * re + im * im).toFixed(3), counted ? 'yes' : 'no']
}

export function nameOr(name: string, peerId: string): string {
  return printable(name === '' ? peerId : name)
}

/** A point of the unit disc. */
export function point([re, im]: [re: number, im: number]): string {
  return `${re.toFixed(4)} ${im < 0 ? '-' : '+'} ${Math.abs(im).toFixed(4)}i`
}

/** A part as percent. */
export function share(part: number, total: number): string {
  return total === 0 ? '0 %' : `${((100 * part) / total).toFixed(1)} %`
}

export function counted(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? '' : 's'}`
}

function power(magnitudeSquared: number, collapsed: boolean): string {
  return `|T|² ${magnitudeSquared.toFixed(3)}${collapsed ? ', collapsed' : ''}`
}

function ms(value: number): string {
  return `${value < 10 ? value.toFixed(1) : Math.round(value)} ms`
}
