import { setImmediate as turn } from 'node:timers/promises'
import { generateKeyPair } from '@libp2p/crypto/keys'
import type { Ed25519PrivateKey, PeerId } from '@libp2p/interface'
import { peerIdFromPrivateKey } from '@libp2p/peer-id'
import { attestationCodec, signedAttestationCodec } from '../../../consensus/epoch/attestation-codec.ts'
import { DOMAIN } from '../../../consensus/epoch/signed-bytes.ts'
import type { Attestation, FinalEpoch, MeshState, Operator, Revocation } from '../../../consensus/epoch/types.ts'
import { powersOf } from '../../../consensus/light/powers.ts'
import { compareBytes } from '../../../consensus/light/bytes.ts'
import { Attester, type AttestInit } from '../../../node/mesh/attest.ts'
import { verify } from '../../../protocols/shared/signature.ts'
import type { Verdict } from '../../../protocols/shared/verdict.ts'
import { CodedError } from '../../../protocols/shared/errors.ts'
import { bytes, Replica, type Body } from '../state/cell.ts'

export const CELL = 'alpha'
export const EPOCH_MS = 1000
const BETA = { name: 'beta', cell: 'beta', weight: 1, attested: undefined }

export interface Report {
  author: Uint8Array
  epoch: number
  t: readonly [number, number]
}

/** Reports in these tests are not signed: what they say stands in them. */
const encodeReport = (report: Report): Uint8Array =>
  Buffer.from(JSON.stringify({ ...report, author: Buffer.from(report.author).toString('hex') }))

function openReport(envelope: Uint8Array): Report | undefined {
  const read = JSON.parse(Buffer.from(envelope).toString()) as Report & { author: string }
  return { ...read, author: new Uint8Array(Buffer.from(read.author, 'hex')) }
}

export interface Person {
  readonly key: Ed25519PrivateKey
  readonly peerId: PeerId
  readonly raw: Uint8Array
}

export async function person(): Promise<Person> {
  const key = await generateKeyPair('Ed25519')
  return { key, peerId: peerIdFromPrivateKey(key), raw: key.publicKey.raw }
}

/** Signing is asynchronous, and nothing else here is. */
export async function settled(): Promise<void> {
  for (let turns = 0; turns < 20; turns++) await turn()
}

/** One node of the cell: what it has of the cell's log, and of the epochs. */
export class Member {
  readonly person: Person
  readonly replica = new Replica()
  readonly submitted: Uint8Array[] = []
  readonly warnings: string[] = []
  readonly attester: Attester
  readonly #cell: AttestingCell
  readonly #listeners = new Set<(keys: readonly string[]) => void>()
  readonly #finals = new Set<(final: FinalEpoch, state: MeshState) => void>()
  /** applied up to where, when it is held back */
  holdsLog = false
  holdsEpochs = false
  #applied = 0
  #followed: number
  state: MeshState

  constructor(cell: AttestingCell, person: Person, state: MeshState) {
    this.#cell = cell
    this.person = person
    this.state = state
    this.#followed = cell.epochs.length
    this.attester = new Attester({
      name: CELL,
      key: person.key,
      cell: this,
      mesh: this,
      openReport,
      share: (bytes) => cell.share(this, bytes),
      submit: (bytes) => void this.submitted.push(bytes),
      log: { debug: () => undefined, warn: (text) => void this.warnings.push(text) },
    })
  }

  get tree() {
    return this.replica.tree
  }

  get attested() {
    return this.replica.state.attested
  }

  get isLeader() {
    return this.#cell.leader === this
  }

  readonly submit: AttestInit['cell']['submit'] = (request) => this.#cell.propose(request as Body)

  subscribe(listener: (keys: readonly string[]) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  onFinal(listener: (final: FinalEpoch, state: MeshState) => void): () => void {
    this.#finals.add(listener)
    return () => this.#finals.delete(listener)
  }

  get attestations(): Attestation[] {
    return this.submitted.map((bytes) => attestationCodec.decode(signedAttestationCodec.decode(bytes).a))
  }

  follow(): void {
    while (!this.holdsLog && this.#applied < this.#cell.log.length) {
      const [body, time] = this.#cell.log[this.#applied++]!
      const outcome = 'voters' in body ? this.replica.configure(body) : this.replica.command(body, { time })
      for (const listener of this.#listeners) listener(outcome.changes.map(({ key }) => key))
    }
    if (this.holdsEpochs) return
    for (const { final, state } of this.#cell.epochs.slice(this.#followed)) {
      this.#followed++
      this.state = state
      for (const listener of this.#finals) listener(final, state)
    }
  }
}

/** A cell whose members all apply one log, in a mesh whose epochs the test makes. */
export class AttestingCell {
  readonly log: [Body | { voters: number[] }, time: number][] = []
  readonly epochs: { final: FinalEpoch; state: MeshState }[] = []
  readonly members: Member[] = []
  readonly verdicts: Verdict[] = []
  leader: Member | undefined
  isWithoutQuorum = false
  /** shares that a test holds back, or changes */
  onShare: (from: Member, bytes: Uint8Array) => Uint8Array | undefined = (_from, bytes) => bytes
  state: MeshState

  private constructor(state: MeshState) {
    this.state = state
  }

  /** @param recorded - of the people, how many the record has at the start; all are voters of the cell */
  static async of(
    count: number,
    recorded = count,
    policy: Partial<MeshState['policy']> = {},
    isAlone = false,
  ): Promise<AttestingCell> {
    const people = await Promise.all(Array.from({ length: count }, person))
    const other = await person()
    const named = people.slice(0, recorded)
    const cell = new AttestingCell(stateOf(named, isAlone ? [] : [other], policy))
    for (const each of people) await cell.join(each)
    cell.leader = cell.members[0]
    return cell
  }

  async join(person: Person): Promise<Member> {
    const member = new Member(this, person, this.state)
    this.members.push(member)
    await member.attester.start()
    const voters = this.members.map((_, at) => at + 1)
    this.commit({ type: 'member-join', peerId: person.peerId.toString(), incarnation: bytes(voters.length) })
    this.log.push([{ voters }, 0])
    this.commit({ type: 'member-promoted', raftId: voters.length })
    return member
  }

  commit(body: Body): void {
    this.log.push([body, this.log.length])
    for (const member of this.members) member.follow()
  }

  async propose(body: Body): Promise<unknown> {
    if (this.isWithoutQuorum) throw new CodedError('E_NO_QUORUM', 'nobody follows')
    this.commit(body)
    return undefined
  }

  share(from: Member, bytes: Uint8Array): void {
    const told = this.onShare(from, bytes)
    if (told === undefined) return
    for (const member of this.members)
      if (member !== from) this.verdicts.push(member.attester.take(from.person.peerId, told))
  }

  /** The next epoch: with what was submitted, and what each of these said of the one before. */
  epoch(reports: readonly Report[] = [], change: Partial<MeshState> = {}): void {
    const height = this.state.height + 1
    const attestations = this.members.flatMap(({ submitted }) => submitted)
    const operators = this.state.operators.map((operator) => attestations.reduce(withAttestation, operator))
    const revoked = attestations.flatMap((bytes) => revokedIn(bytes, height))
    const nextValidators = powersOf(operators)
    const validators = this.state.nextValidators
    const reporters = operators.flatMap(({ cell, members }) => members.map((key) => ({ key, cell })))
    this.state = {
      ...this.state,
      height,
      time: this.state.time + EPOCH_MS,
      operators,
      validators,
      nextValidators,
      reporters,
      revoked: once([...this.state.revoked, ...revoked]),
      ...change,
    }
    const block = { reports: reports.map(encodeReport) } as unknown as FinalEpoch['block']
    this.epochs.push({ final: { block } as FinalEpoch, state: this.state })
    for (const member of this.members) member.follow()
  }

  /** An epoch, and what the members sign after it. */
  async next(...given: Parameters<AttestingCell['epoch']>): Promise<void> {
    this.epoch(...given)
    await settled()
  }

  /** Takes vote and certificate away, by the word of the first member. */
  remove({ person }: Member): void {
    const peerId = person.peerId.toString()
    this.commit({ type: 'member-remove', peerId, reason: '' })
    this.commit({ type: 'certificate-revoke', peerId, by: this.members[0]!.person.peerId.toString(), reason: '' })
  }

  get operator(): Operator {
    return this.state.operators.find(({ cell }) => cell === CELL)!
  }

  stop(): Promise<unknown> {
    return Promise.all(this.members.map(({ attester }) => attester.stop()))
  }
}

function stateOf(people: Person[], others: Person[], policy: Partial<MeshState['policy']>): MeshState {
  const members = inOrder(people.map(({ raw }) => raw))
  const operators: Operator[] = [
    { name: CELL, cell: CELL, weight: 1, members, validators: members, attested: undefined },
    ...others.map(({ raw }) => ({ ...BETA, members: [raw], validators: [raw] })),
  ]
  const mesh = new Uint8Array(36).fill(7)
  return {
    mesh,
    height: 0,
    time: 0,
    head: mesh,
    operators,
    lastValidators: [],
    validators: powersOf(operators),
    nextValidators: powersOf(operators),
    reporters: operators.flatMap(({ cell, members }) => members.map((key) => ({ key, cell }))),
    policy: {
      epochMs: 1000,
      idleEpochMs: 1000,
      trustingMs: 1,
      collapseThreshold: 1,
      maxValidators: 4,
      doubleVote: 'remove',
      ...policy,
    },
    motions: [],
    revoked: [],
    out: [],
  }
}

export function inOrder(keys: readonly Uint8Array[]): Uint8Array[] {
  return keys.toSorted(compareBytes)
}

/** As the record takes it: newer, and signed by a majority of those that it has. */
function withAttestation(operator: Operator, signed: Uint8Array): Operator {
  const { a, s } = signedAttestationCodec.decode(signed)
  const { cell, epoch, index, root, t, members, validators } = attestationCodec.decode(a)
  const { attested } = operator
  const isNewer =
    attested === undefined || epoch > attested.epoch || (epoch === attested.epoch && index > attested.index)
  const isRecorded = (key: Uint8Array): boolean => operator.members.some((one) => compareBytes(one, key) === 0)
  const good = s.filter(([key, signature]) => isRecorded(key) && verify(key, DOMAIN.attestation, a, signature))
  if (cell !== operator.cell || !isNewer || good.length * 2 <= operator.members.length || good.length < s.length)
    return operator
  return { ...operator, members, validators, attested: { epoch, index, root, t } }
}

function once(revoked: readonly Revocation[]): Revocation[] {
  return revoked.filter(
    ({ subject }, at) => at === revoked.findIndex((one) => compareBytes(one.subject, subject) === 0),
  )
}

function revokedIn(signed: Uint8Array, height: number) {
  const { cell, revoked } = attestationCodec.decode(signedAttestationCodec.decode(signed).a)
  return revoked.map((subject) => ({ subject, cell, height }))
}
