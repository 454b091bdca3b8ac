import { createHash, createPrivateKey, createPublicKey, sign as signBytes, type KeyObject } from 'node:crypto'
import { publicKeyFromRaw } from '@libp2p/crypto/keys'
import { peerIdFromPublicKey } from '@libp2p/peer-id'
import { expect } from 'chai'
import { CID } from 'multiformats/cid'
import { attestationCodec, signedAttestationCodec } from '../../../consensus/epoch/attestation-codec.ts'
import { encodeLists, linksOf } from '../../../consensus/epoch/block-codec.ts'
import { witnessesFor } from '../../../consensus/epoch/build-block.ts'
import {
  applyBlock,
  buildBlock,
  certificateCodec,
  checkBlock,
  commandBody,
  digestOf,
  DOMAIN,
  extensionBody,
  extensionCodec,
  genesisState,
  headerCodec,
  hex,
  proposerOf,
  ReportPool,
  sealCommand,
  valueOf,
  voteBody,
  type Attestation,
  type Change,
  type ComplexQ30,
  type EpochHeader,
  type EpochPorts,
  type Evidence,
  type Extension,
  type GovernanceCommand,
  type MeshState,
  type Motion,
  type OpenedBlock,
  type OpenedReport,
  type Pending,
} from '../../../consensus/epoch/index.ts'
import { isSigned } from '../../../consensus/epoch/evidence-codec.ts'
import { namedBy } from '../../../consensus/epoch/reports.ts'
import { compareBytes, concatBytes } from '../../../consensus/light/bytes.ts'
import type { CommitCertificate } from '../../../consensus/mesh/engine.ts'
import { createEpochPorts } from '../../../node/mesh/epoch-ports.ts'
import { createGenesis, meshIdOf, type Genesis } from '../../../protocols/admission/index.ts'
import { encodeReport, envelopeCodec } from '../../../protocols/phase/codec.ts'
import { reportBy, withT } from '../phase/reports.ts'

const PKCS8 = Buffer.from('302e020100300506032b657004220420', 'hex')
export const CREATED = 1_700_000_000_000

/** A node with a real key, made from its name. */
export class TestNode {
  readonly name: string
  readonly cell: string
  readonly key: Uint8Array
  readonly #private: KeyObject

  constructor(cell: string, name: string) {
    const seed = createHash('sha256').update(name).digest()
    this.#private = createPrivateKey({ key: Buffer.concat([PKCS8, seed]), format: 'der', type: 'pkcs8' })
    const spki = createPublicKey(this.#private).export({ format: 'der', type: 'spki' })
    this.key = new Uint8Array(spki.subarray(-32))
    this.cell = cell
    this.name = name
  }

  get peerId(): string {
    return peerIdFromPublicKey(publicKeyFromRaw(this.key)).toString()
  }

  sign(domain: string, body: Uint8Array): Uint8Array {
    return new Uint8Array(signBytes(null, concatBytes(Buffer.from(`${domain}\0`), body), this.#private))
  }
}

/** What one epoch is made of; the usual where nothing is said. */
export interface Step {
  round?: number
  /** which reports of this epoch a validator holds when it precommits */
  holds?: (validator: TestNode) => Uint8Array[]
  extension?: (validator: TestNode, honest: Extension) => Extension
  clock?: (validator: TestNode) => number
  signers?: TestNode[]
  pending?: Partial<Pending>
}

/** A mesh of operators in one process, with real signatures and no network. */
export class TestMesh {
  readonly founding: Genesis
  readonly mesh: Uint8Array
  readonly ports: EpochPorts
  readonly cells: Map<string, TestNode[]>
  readonly finals: { bytes: Uint8Array; block: OpenedBlock; certificate: CommitCertificate }[] = []
  readonly #known = new Map<string, OpenedReport & { bytes: Uint8Array }>()
  state: MeshState
  certificate: CommitCertificate | null = null

  /** @param sizes - nodes of each cell; @param weights - of each operator, 1 unless told */
  constructor(sizes: Record<string, number>, weights: Record<string, number> = {}) {
    const cellOf = ([cell, size]: [string, number]): [string, TestNode[]] => [cell, nodesOf(cell, size)]
    this.cells = new Map(Object.entries(sizes).map(cellOf))
    const entries = [...this.cells.values()].flat()
    this.founding = createGenesis(
      entries.map(({ peerId, name, cell }) => ({ peerId, name, cell, role: 'full' as const })),
      {
        name: 'test',
        created: CREATED,
        operators: Object.fromEntries(Object.entries(weights).map(([cell, weight]) => [cell, { weight }])),
      },
    )
    this.mesh = CID.parse(meshIdOf(this.founding)).bytes
    this.ports = createEpochPorts(this.mesh)
    this.state = genesisState(this.founding, this.mesh)
  }

  get nodes(): TestNode[] {
    return [...this.cells.values()].flat()
  }

  node(key: Uint8Array): TestNode {
    return this.nodes.find((node) => compareBytes(node.key, key) === 0)!
  }

  /** in the order of their keys */
  get validators(): TestNode[] {
    return this.state.validators.map(({ key }) => this.node(key))
  }

  cell(name: string): TestNode[] {
    return this.cells.get(name)!
  }

  /** A cell that the genesis does not know. */
  newCell(name: string, size: number): TestNode[] {
    const nodes = nodesOf(name, size)
    this.cells.set(name, nodes)
    return nodes
  }

  report(author: TestNode, t: ComplexQ30, epoch = this.state.height + 1, seq = 1): Uint8Array {
    const says = { mesh: this.mesh, epoch, seq, time: CREATED, alignment: null, ...withT(t) }
    const body = encodeReport(reportBy({ publicKey: { raw: author.key } }, says))
    const envelope = envelopeCodec.encode({ b: body, s: author.sign('kairos/phase/1', body) })
    this.#known.set(hex(digestOf(envelope)), { author: author.key, epoch, t, bytes: envelope })
    return envelope
  }

  /** The block after the state, as an honest proposer builds it. */
  build(pending: Partial<Pending> = {}, round = 0): { bytes: Uint8Array; block: OpenedBlock } {
    const { state, certificate } = this
    const named = namedBy(witnessesFor(state, certificate), state.lastValidators, state.reporters)
    const reports = named.map(({ digest }) => this.#known.get(hex(digest))!.bytes)
    const proposer = proposerOf(state.validators, state.height + 1, round)
    const all = { attestations: [], governance: [], evidence: [], reports, ...pending }
    return buildBlock(state, all, certificate, { round, proposer }, this.ports)
  }

  check(block: OpenedBlock): string | undefined {
    return checkBlock(this.state, block, this.ports)
  }

  /** The extended certificate of a block of the next height. */
  certify(value: Uint8Array, step: Step = {}): CommitCertificate {
    const { round = 0, signers = this.validators } = step
    const height = this.state.height + 1
    const signatures = signers
      .toSorted((a, b) => compareBytes(a.key, b.key))
      .map((node) => {
        const vote = voteBody(this.mesh, { height, round, kind: 'precommit', value })
        const bytes = this.extension(node, step)
        const body = extensionBody(this.mesh, { height, round, value, validator: node.key, extension: bytes })
        return {
          validator: node.key,
          signature: node.sign(DOMAIN.vote, vote),
          extension: { bytes, signature: node.sign(DOMAIN.extension, body) },
        }
      })
    return { height, round, value, signatures }
  }

  extension(node: TestNode, { holds, clock, extension }: Step): Uint8Array {
    const pool = new ReportPool(this.state, this.ports.openReport)
    for (const bytes of holds?.(node) ?? []) pool.put(bytes, this.#known.get(hex(digestOf(bytes))))
    const honest = pool.extension(clock?.(node) ?? CREATED + 1000 * (this.state.height + 1))
    return extension === undefined ? honest : extensionCodec.encode(extension(node, extensionCodec.decode(honest)))
  }

  /** Builds an epoch, has it checked as each validator does, and makes it final. */
  advance(step: Step = {}): OpenedBlock {
    const { bytes, block } = this.build(step.pending, step.round)
    expect(this.check(block)).to.equal(undefined)
    const certificate = this.certify(block.value, step)
    this.state = applyBlock(this.state, block)
    this.certificate = certificateCodec.decode(certificateCodec.encode(certificate))
    this.finals.push({ bytes, block, certificate })
    return block
  }

  advanceTo(height: number): void {
    while (this.state.height < height) this.advance()
  }

  command(by: TestNode, command: Omit<Extract<GovernanceCommand, { kind: 'vote' }>, 'mesh' | 'by'>): Uint8Array
  command(by: TestNode, command: Omit<Extract<GovernanceCommand, { kind: 'move' }>, 'mesh' | 'by'>): Uint8Array
  command(by: TestNode, command: object): Uint8Array {
    const body = commandBody({ ...command, mesh: this.mesh, by: by.key } as GovernanceCommand)
    return sealCommand(body, by.sign(DOMAIN.governance, body))
  }

  move(
    by: TestNode,
    change: Change,
    options: { expires?: number; effectiveAt?: number; at?: number } = {},
  ): Uint8Array {
    const { height } = this.state
    return this.command(by, { kind: 'move', at: height, expires: height + 100, effectiveAt: 0, ...options, change })
  }

  vote(by: TestNode, { id }: Pick<Motion, 'id'>, yes = true): Uint8Array {
    return this.command(by, { kind: 'vote', motion: id, yes })
  }

  /** Moves a change and has all validators vote for it, until it is carried. */
  carry(change: Change): void {
    this.advance({ pending: { governance: [this.move(this.validators[0]!, change)] } })
    const motion = this.state.motions.at(-1)!
    if (motion.carried !== undefined) return
    const voters = this.validators.filter(({ key }) => compareBytes(key, motion.by) !== 0)
    this.advance({ pending: { governance: voters.map((node) => this.vote(node, motion)) } })
    expect(this.state.motions.at(-1)!.carried).to.equal(this.state.height)
  }

  operator(cell: string): MeshState['operators'][number] {
    return this.state.operators.find((operator) => operator.cell === cell)!
  }

  attestation(cell: string, some: Partial<Attestation> = {}): Attestation {
    const { members, validators } = this.operator(cell)
    const root = new Uint8Array(36).fill(1)
    const { height: epoch } = this.state
    return { mesh: this.mesh, cell, epoch, index: epoch, root, t: null, members, validators, revoked: [], ...some }
  }

  attest(attestation: Attestation, signers: TestNode[]): Uint8Array {
    const a = attestationCodec.encode(attestation)
    const sorted = signers.toSorted((x, y) => compareBytes(x.key, y.key))
    return signedAttestationCodec.encode({ a, s: sorted.map((node) => [node.key, node.sign(DOMAIN.attestation, a)]) })
  }

  /** A real double vote. */
  doubleVote(node: TestNode, height: number, kind: 'prevote' | 'precommit' = 'prevote'): Evidence {
    const signed = (value: Uint8Array | undefined) => ({
      value,
      signature: node.sign(DOMAIN.vote, voteBody(this.mesh, { height, round: 0, kind, value })),
    })
    const evidence: Evidence = {
      validator: node.key,
      height,
      round: 0,
      kind,
      first: signed(undefined),
      second: signed(this.state.head),
    }
    expect(isSigned(this.mesh, evidence, this.ports.verify)).to.equal(true)
    return evidence
  }
}

/** A block with other contents, its links and value made to fit. */
export function altered(
  block: OpenedBlock,
  { header, ...lists }: Partial<Omit<OpenedBlock, 'header' | 'value'>> & { header?: Partial<EpochHeader> },
): OpenedBlock {
  const other = { ...block, ...lists }
  const changed = { ...block.header, ...linksOf(encodeLists(other)), ...header }
  return { ...other, header: changed, value: valueOf(headerCodec.encode(changed)) }
}

export function keysOf(nodes: TestNode[]): Uint8Array[] {
  return nodes.map(({ key }) => key).sort(compareBytes)
}

function nodesOf(cell: string, size: number): TestNode[] {
  return Array.from({ length: size }, (_, at) => new TestNode(cell, `${cell}-${at + 1}`))
}
