import { compareBytes } from '../light/bytes.ts'
import { partsOf } from '../light/powers.ts'
import type { Validator } from '../mesh/engine.ts'
import { maxNames, type Witness } from './certificate.ts'
import { digestOf, hex } from './cid.ts'
import { MAX_REPORTS } from './limits.ts'
import type { ComplexQ30, EpochDecision, EpochHeader, MeshState, Operator, Reporter } from './types.ts'
import { isOneHonest, totalPower } from './validators.ts'

/** A report whose signature and numbers hold (`/kairos/phase/1`), by its bytes alone. */
export interface OpenedReport {
  readonly author: Uint8Array
  readonly epoch: number
  /** T_sync */
  readonly t: ComplexQ30
}

/**
 * @param digest - sha-256 of the envelope in hex, for who remembers
 * @returns undefined for bytes that are no report of this mesh, or one whose T_sync is not the mean of its halves
 */
export type OpenReport = (envelope: Uint8Array, digest: string) => OpenedReport | undefined

export interface WeightedT {
  /** in parts */
  readonly weight: number
  readonly re: number
  readonly im: number
}

export interface Agreement {
  /** ⌊Σ w·T / totalWeight⌋: silent weight is zero T */
  readonly t: ComplexQ30
  readonly median: ComplexQ30
  readonly agreeingWeight: number
  readonly collapsed: boolean
}

/** T_global, median and decision (coherence.md P7, P8, P11), the same bits on every machine. */
export type Agree = (reports: readonly WeightedT[], threshold: number, totalWeight: number) => Agreement

/** One report that more than a third of the power says it holds. */
export interface Named {
  readonly reporter: Reporter
  readonly digest: Uint8Array
  /** keys of the validators that name it */
  readonly holders: readonly Uint8Array[]
}

/**
 * Whose reports of the epoch after `state` count. An operator's weight is shared by those of its nodes that report, so
 * where not all members of all fit into the validators' extensions, each operator has some, and no weight is lost.
 *
 * @returns by key
 */
export function reportersAfter(state: MeshState): readonly Reporter[] {
  const known = reporters.get(state)
  if (known !== undefined) return known
  const found = inTurns(state)
  reporters.set(state, found)
  return found
}

/** Asked for each precommit that comes. */
const reporters = new WeakMap<MeshState, readonly Reporter[]>()

function inTurns({ operators, validators }: MeshState): Reporter[] {
  const room = Math.min(MAX_REPORTS, maxNames(validators.length))
  const inTurn: Reporter[] = []
  const turns = Math.max(0, ...operators.map(({ members }) => members.length))
  for (let turn = 0; turn < turns && inTurn.length < room; turn++) {
    for (const { cell, members } of operators) {
      const key = members[turn]
      if (key !== undefined) inTurn.push({ key, cell })
    }
  }
  return inTurn.slice(0, room).sort((a, b) => compareBytes(a.key, b.key))
}

/**
 * What the next block must carry: each report that more than 1/3 of *all* the power names. Of the certificate's power
 * alone a third may be liars only, who could name what does not exist, and nobody could ever build a block.
 *
 * @returns the first report of each author, then second ones, as many as a block has room for
 */
export function namedBy(
  witnesses: readonly Witness[],
  validators: readonly Validator[],
  reporters: readonly Reporter[],
): Named[] {
  const total = totalPower(validators)
  const found = new Map<string, { reporter: number; digest: Uint8Array; power: number; holders: Uint8Array[] }>()
  for (const { validator, power, extension } of witnesses) {
    for (const [reporter, digest] of extension.reports) {
      const name = `${reporter}/${hex(digest)}`
      const entry = found.get(name) ?? { reporter, digest, power: 0, holders: [] }
      entry.power += power
      entry.holders.push(validator)
      found.set(name, entry)
    }
  }
  const named = [...found.values()].filter(({ power }) => isOneHonest(power, total))
  named.sort((a, b) => a.reporter - b.reporter || compareBytes(a.digest, b.digest))
  const isOfSame = (at: number, before: number): boolean => named[at]!.reporter === named[at - before]?.reporter
  const firsts = named.filter((_, at) => !isOfSame(at, 1))
  // Two say that an author said two things. A third changes nothing, and there could be any number.
  const seconds = named.filter((_, at) => isOfSame(at, 1) && !isOfSame(at, 2))
  const ordered = [...firsts, ...seconds]
  return ordered
    .slice(0, MAX_REPORTS)
    .map(({ reporter, digest, holders }) => ({ reporter: reporters[reporter]!, digest, holders }))
}

export interface IncludedReport extends OpenedReport {
  readonly bytes: Uint8Array
}

/** In the order that a block has them: by author, then by bytes. */
export function compareReports(a: IncludedReport, b: IncludedReport): number {
  return compareBytes(a.author, b.author) || compareBytes(a.bytes, b.bytes)
}

/** @returns a code when the reports are not those that are named, each once and in order */
export function checkReports(
  reports: readonly Uint8Array[],
  named: readonly Named[],
  epoch: number,
  open: OpenReport,
): IncludedReport[] | string {
  const wanted = new Map(named.map(({ reporter, digest }) => [hex(digest), reporter]))
  const digests = reports.map((bytes) => hex(digestOf(bytes)))
  // Before any signature is checked: what nobody named costs nobody anything.
  if (!digests.every((digest) => wanted.has(digest))) return 'E_EPOCH_REPORT_EXTRA'
  if (new Set(digests).size < wanted.size) return 'E_EPOCH_REPORT_MISSING'
  const included: IncludedReport[] = []
  for (const [at, digest] of digests.entries()) {
    const bytes = reports[at]!
    const opened = open(bytes, digest)
    const author = wanted.get(digest)?.key
    if (opened === undefined || opened.epoch !== epoch || compareBytes(opened.author, author!) !== 0)
      return 'E_EPOCH_REPORT'
    included.push({ author: opened.author, epoch, t: opened.t, bytes })
  }
  const isOrdered = included.every((each, at) => at === 0 || compareReports(included[at - 1]!, each) < 0)
  return isOrdered ? included : 'E_EPOCH_REPORT_ORDER'
}

/** What the reports of an epoch come to, by the weights of the state before the block that carries them. */
export function recompute(
  state: Pick<MeshState, 'operators' | 'policy' | 'reporters'>,
  included: readonly IncludedReport[],
  agree: Agree,
): Pick<EpochHeader, 't' | 'median' | 'decision'> {
  const weight = state.operators.reduce((sum, operator) => sum + operator.weight, 0)
  const parts = partsOf(weight)
  const counted = countedReports(state.operators, state.reporters, included)
  const weighted = counted.map(({ t, operator, sharers }) => ({
    weight: Math.floor((operator.weight * parts) / sharers),
    re: t[0],
    im: t[1],
  }))
  const totalWeight = weight * parts
  const { t, median, agreeingWeight, collapsed } = agree(weighted, state.policy.collapseThreshold, totalWeight)
  const reportingWeight = weighted.reduce((sum, { weight }) => sum + weight, 0)
  const decision: EpochDecision = { collapsed, agreeingWeight, reportingWeight, totalWeight }
  return { t, median, decision }
}

/** Of authors with one report that are still members; who said two things about one epoch counts for nothing. */
function countedReports(
  operators: readonly Operator[],
  reporters: readonly Reporter[],
  included: readonly IncludedReport[],
) {
  const cells = new Map(reporters.map(({ key, cell }) => [hex(key), cell]))
  const members = new Map(operators.flatMap((operator) => operator.members.map((key) => [hex(key), operator] as const)))
  const isDouble = (at: number): boolean =>
    [at - 1, at + 1].some((other) => {
      const neighbour = included[other]
      return neighbour !== undefined && compareBytes(neighbour.author, included[at]!.author) === 0
    })
  const counted = included
    .filter((_, at) => !isDouble(at))
    .flatMap(({ author, t }) => {
      const operator = members.get(hex(author))
      return operator !== undefined && operator.cell === cells.get(hex(author)) ? [{ t, operator }] : []
    })
  const sharers = new Map<Operator, number>()
  for (const { operator } of counted) sharers.set(operator, (sharers.get(operator) ?? 0) + 1)
  return counted.map((each) => ({ ...each, sharers: sharers.get(each.operator)! }))
}
