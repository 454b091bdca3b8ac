import { openAttestation } from '../../consensus/epoch/attestation-codec.ts'
import { openCommand } from '../../consensus/epoch/command-codec.ts'
import { holdsFrom } from '../../consensus/epoch/governance.ts'
import { evidenceCodec } from '../../consensus/epoch/evidence-codec.ts'
import type { Change, ComplexQ30, FinalEpoch, MeshState, Motion } from '../../consensus/epoch/types.ts'
import type { CommitCertificate, Validator } from '../../consensus/mesh/engine.ts'
import { toleratedFaults } from '../../protocols/admission/index.ts'
import { isMeanOfHalves, isReport, readReport, type PhaseReport } from '../../protocols/phase/index.ts'
import { cidText } from '../../consensus/light/text.ts'
import { dequantise } from '../coherence/global/quantise.ts'
import type { EpochDocument, EpochRow, MotionRow, ValidatorsDocument } from '../operations-mesh.ts'
import type { Named } from './named.ts'

/** What the rows of the record need of this node. */
export interface Naming {
  named: (key: Uint8Array) => Named
  isSelf: (key: Uint8Array) => boolean
  isConnected: (key: Uint8Array) => boolean
  /** Of a member; empty for one that is none any more. */
  cellOf: (key: Uint8Array) => string
}

type Names = Pick<Naming, 'named' | 'cellOf'>

export function epochRow({ block, certificate }: FinalEpoch, { named }: Names): EpochRow {
  const { header } = block
  const proposer = named(header.proposer)
  const t = complexOf(header.t)
  return {
    height: header.height,
    cid: cidText(certificate.value),
    time: new Date(header.time).toISOString(),
    round: certificate.round,
    proposer: proposer.peerId,
    proposerName: proposer.name,
    reports: block.reports.length,
    t,
    magnitudeSquared: squared(t),
    collapsed: header.decision.collapsed,
    evidence: block.evidence.length,
    governance: block.governance.length,
  }
}

/** @param validators - who decided it; empty where the set is no longer kept: powers are then 0 */
export function epochDocument(final: FinalEpoch, validators: readonly Validator[], naming: Names): EpochDocument {
  const { header } = final.block
  const { collapsed, agreeingWeight, reportingWeight, totalWeight } = header.decision
  const part = (weight: number): number => (totalWeight === 0 ? 0 : weight / totalWeight)
  return {
    ...epochRow(final, naming),
    previous: cidText(header.previous),
    state: cidText(header.state),
    median: complexOf(header.median),
    decision: { collapsed, agreeing: part(agreeingWeight), reporting: part(reportingWeight) },
    validators: { cid: cidText(header.validators), nextCid: cidText(header.nextValidators) },
    certificate: certificateDocument(final.certificate, validators, naming),
    ...listRows(final, naming),
  }
}

function certificateDocument(
  { round, signatures }: CommitCertificate,
  validators: readonly Validator[],
  naming: Names,
) {
  const powers = new Map(validators.map(({ key, power }) => [text(key), power]))
  const signers = signatures.map(({ validator }) => ({
    ...naming.named(validator),
    power: powers.get(text(validator)) ?? 0,
  }))
  const power = signers.reduce((sum, signer) => sum + signer.power, 0)
  return { round, signers, power, total: totalOf(validators) }
}

function listRows({ block }: FinalEpoch, naming: Names) {
  const { mesh } = block.header
  return {
    reportRows: reportRows(block.reports, mesh, naming),
    attestations: block.attestations.flatMap((bytes) => {
      const opened = openAttestation(mesh, bytes)
      if (typeof opened === 'string') return []
      const { cell, epoch, root, t, revoked } = opened.attestation
      const names = revoked.map((key) => naming.named(key).name)
      return [{ cell, epoch, root: cidText(root), t: t === null ? null : complexOf(t), revoked: names }]
    }),
    governanceRows: block.governance.flatMap((bytes) => {
      // More than two thirds of the power have checked who signed it.
      const opened = openCommand(mesh, bytes)
      if (typeof opened === 'string') return []
      const { command } = opened
      const what = command.kind === 'move' ? changeText(command.change) : ballotText(command)
      return [{ by: naming.named(command.by).name, kind: command.kind, text: what }]
    }),
    evidenceRows: block.evidence.map((bytes) => {
      const { validator, height, kind } = evidenceCodec.decode(bytes)
      return { key: naming.named(validator).peerId, height, kind }
    }),
  }
}

/** An author of two different reports counts for nothing, nor does who has no master. */
function reportRows(envelopes: readonly Uint8Array[], mesh: Uint8Array, { named, cellOf }: Names) {
  const reports = envelopes.map((bytes) => readReport(bytes, mesh)).filter((one): one is PhaseReport => isReport(one))
  const said = new Map<string, number>()
  for (const { author } of reports) said.set(text(author), (said.get(text(author)) ?? 0) + 1)
  return reports.map((report) => ({
    ...named(report.author),
    cell: cellOf(report.author),
    t: complexOf(report.sync),
    counted: said.get(text(report.author)) === 1 && isMeanOfHalves(report),
  }))
}

export function validatorsDocument(state: MeshState, { named, isSelf, isConnected }: Naming): ValidatorsDocument {
  const powers = new Map(state.validators.map(({ key, power }) => [text(key), power]))
  return {
    height: state.height,
    operators: state.operators.map(({ name, cell, weight, members, validators, attested }) => ({
      name,
      cell,
      weight,
      members: members.map((key) => ({
        ...named(key),
        isValidator: validators.some((one) => text(one) === text(key)),
        power: powers.get(text(key)) ?? 0,
        isSelf: isSelf(key),
        isConnected: isConnected(key),
      })),
      attested:
        attested === undefined
          ? null
          : {
              epoch: attested.epoch,
              root: cidText(attested.root),
              t: attested.t === null ? null : complexOf(attested.t),
            },
    })),
    policy: state.policy,
    total: totalOf(state.validators),
    toleratedFaults: toleratedFaults(state),
    next: {
      height: state.height + 2,
      validators: state.nextValidators.map(({ key, power }) => ({ peerId: named(key).peerId, power })),
    },
    out: state.out.map((key) => named(key).peerId),
    revoked: state.revoked.map(({ subject, cell, height }) => ({ peerId: named(subject).peerId, cell, height })),
  }
}

export function motionRow(motion: Motion, state: MeshState, { named }: Names): MotionRow {
  const { id, change, by, opened, expires, yes, no, carried } = motion
  const total = totalOf(state.validators)
  const part = (keys: readonly Uint8Array[]): number => {
    const voted = new Set(keys.map(text))
    const power = totalOf(state.validators.filter(({ key }) => voted.has(text(key))))
    return total === 0 ? 0 : power / total
  }
  return {
    id: Buffer.from(id).toString('hex'),
    change,
    text: changeText(change),
    by: named(by).name,
    opened,
    expires,
    state: carried === undefined ? 'open' : 'carried',
    holdsFrom: holdsFrom(motion) ?? null,
    yes: part(yes),
    no: part(no),
  }
}

/** A change as people say it. */
export function changeText(change: Change): string {
  switch (change.type) {
    case 'operator-set': {
      const { name, cell, weight, members } = change
      const first =
        members.length === 0 ? '' : `, with ${members.length} first member${members.length === 1 ? '' : 's'}`
      return `operator ${name} of cell ${cell} weighs ${weight}${first}`
    }
    case 'operator-remove':
      return `the operator of cell ${change.cell} leaves the mesh's record`
    case 'policy-set':
      return `policy: ${Object.entries(change.policy)
        .map(([key, value]) => `${key} ${value}`)
        .join(', ')}`
  }
}

function ballotText({ motion, yes }: { motion: Uint8Array; yes: boolean }): string {
  return `${yes ? 'for' : 'against'} motion ${Buffer.from(motion).toString('hex').slice(0, 12)}`
}

export function complexOf([re, im]: ComplexQ30): [re: number, im: number] {
  return [dequantise(re), dequantise(im)]
}

export function squared([re, im]: readonly [number, number]): number {
  return re * re + im * im
}

function totalOf(validators: readonly Validator[]): number {
  return validators.reduce((sum, { power }) => sum + power, 0)
}

function text(key: Uint8Array): string {
  return Buffer.from(key).toString('latin1')
}
