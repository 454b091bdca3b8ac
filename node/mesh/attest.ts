import type { Ed25519PrivateKey, PeerId } from '@libp2p/interface'
import type { MemberSignature } from '../../consensus/epoch/attestation-codec.ts'
import {
  attestationCodec,
  DOMAIN,
  openAttestation,
  signedAttestationCodec,
  type Attestation,
  type Attested,
  type FinalEpoch,
  type MeshState,
  type OpenReport,
} from '../../consensus/epoch/index.ts'
import { equalBytes } from '../../consensus/light/bytes.ts'
import { attestedOf, type Mark } from '../../consensus/state/index.ts'
import { strictKeyOf } from '../../protocols/admission/index.ts'
import { sign, verify } from '../../protocols/shared/signature.ts'
import { ACCEPT, ignore, reject, type Verdict } from '../../protocols/shared/verdict.ts'
import type { CellState } from '../cell/types.ts'
import type { Service } from '../service.ts'
import type { Log } from '../telemetry/log.ts'
import { Asking } from './attest-asking.ts'
import { attestationOf, operatorOf } from './attest-body.ts'
import { cellMean } from './attest-mean.ts'
import { release } from './attest-release.ts'
import { Shares } from './attest-shares.ts'
import type { MeshService } from './types.ts'

/** Mesh states kept, for entries that name an epoch of a moment ago. */
const KEPT_STATES = 16
/** Attestations of this node that are on their way at once. */
const KEPT_SAID = 4

export interface AttestInit {
  /** name of this node's cell */
  name: string
  key: Ed25519PrivateKey
  cell: Pick<CellState, 'tree' | 'isLeader' | 'submit' | 'subscribe'> & { readonly attested: Mark | undefined }
  mesh: Pick<MeshService, 'state' | 'onFinal'>
  openReport: OpenReport
  /** To the other members of the cell. */
  share: (bytes: Uint8Array) => void
  /** A whole attestation, for the next epochs: to this node's own pool and to all validators. */
  submit: (bytes: Uint8Array) => void
  log: Pick<Log, 'debug' | 'warn'>
}

interface Said {
  readonly attestation: Attestation
  readonly body: Uint8Array
  isSubmitted: boolean
}

/**
 * What a cell says of itself to the mesh: its leader has it committed when there is something to say, each member builds
 * the same bytes from that entry and the epoch that it names, and whoever has the signatures of a majority of the
 * recorded members hands them on.
 */
export class Attester implements Service {
  readonly name = 'attest'
  readonly #init: AttestInit
  readonly #asking: Asking
  readonly #shares = new Shares()
  readonly #states = new Map<number, MeshState>()
  /** oldest first */
  #said: Said[] = []
  #ends: (() => void)[] = []

  constructor(init: AttestInit) {
    this.#init = init
    this.#asking = new Asking(init)
  }

  async start(): Promise<void> {
    const { mesh, cell } = this.#init
    this.#remember(mesh.state)
    this.#ends = [
      mesh.onFinal((final, state) => this.#final(final, state)),
      cell.subscribe(
        (keys) => this.#changed(keys),
        // Of a state that came whole no attestation is known to speak; the next entry of one tells.
        () => undefined,
      ),
    ]
  }

  async stop(): Promise<void> {
    this.#asking.stop()
    for (const end of this.#ends.splice(0)) end()
  }

  /** Before a member goes. @returns as {@link release} */
  release(peerId: string, signal: AbortSignal): Promise<boolean> {
    return release(this.#init, peerId, signal)
  }

  /** What another member signed. */
  take(peer: PeerId, bytes: Uint8Array): Verdict {
    const { mesh, name } = this.#init
    const opened = openAttestation(mesh.state.mesh, bytes)
    if (typeof opened === 'string') return reject(opened)
    const { attestation, body, signatures } = opened
    const [share] = signatures
    if (share === undefined || signatures.length > 1 || attestation.cell !== name)
      return reject('E_ATTESTATION_MALFORMED')
    const sender = strictKeyOf(peer)
    const isOfOther = mesh.state.operators.some((one) => one.cell !== name && isAmong(one.members, sender))
    if (isOfOther) return reject('E_ATTESTATION_STRANGER')
    const operator = operatorOf(name, mesh.state)
    // Who has just been recorded may know it before this node.
    if (operator === undefined || !isAmong(operator.members, share[0])) return ignore('E_ATTESTATION_STRANGER')
    if (!isNewer(attestation, operator.attested)) return ignore('E_ATTESTATION_STALE')
    return this.#takeShare(attestation, body, share)
  }

  #takeShare(attestation: Attestation, body: Uint8Array, [member, signature]: MemberSignature): Verdict {
    if (this.#shares.has(member, body)) return ACCEPT
    if (!verify(member, DOMAIN.attestation, body, signature)) return reject('E_ATTESTATION_SIGNATURE')
    const own = this.#said.find(({ attestation: { epoch, index } }) => isSame(attestation, { epoch, index }))
    if (own !== undefined && !equalBytes(own.body, body)) {
      const { epoch, index } = attestation
      this.#init.log.warn('a member of the cell sees cell or mesh otherwise than this node', { epoch, index })
      return ignore('E_ATTESTATION_DIFFERS')
    }
    this.#shares.add(member, body, signature)
    this.#submit()
    return ACCEPT
  }

  #final({ block }: FinalEpoch, state: MeshState): void {
    const { name, cell, openReport } = this.#init
    const before = this.#states.get(state.height - 1)
    this.#remember(state)
    if (before !== undefined && cell.isLeader)
      this.#asking.note(state.height, cellMean(name, block.reports, before, openReport))
    const { members, attested } = operatorOf(name, state) ?? { members: [], attested: undefined }
    this.#shares.keepOnly(members)
    this.#said = this.#said.filter(({ attestation }) => isNewer(attestation, attested))
    this.#asking.ask()
    // What was lost on the way is said again until it stands in the record.
    for (const said of this.#said) this.#say(said)
    this.#speak()
  }

  #remember(state: MeshState): void {
    this.#states.set(state.height, state)
    this.#states.delete(state.height - KEPT_STATES)
  }

  #changed(keys: readonly string[]): void {
    if (keys.includes('meta/attested')) this.#speak()
    if (keys.some((key) => /^(member|revoked)\//.test(key))) this.#asking.ask()
  }

  /** Builds what the cell says as soon as both are here: the entry, and the epoch that it names. */
  #speak(): void {
    const { cell, name } = this.#init
    const mark = cell.attested
    const state = mark && this.#states.get(attestedOf(mark.tree)?.epoch ?? -1)
    if (mark === undefined || state === undefined || this.#said.some(isAt(mark))) return
    const attestation = attestationOf(name, mark, state)
    const operator = operatorOf(name, this.#init.mesh.state)
    if (attestation === undefined || !isNewer(attestation, operator?.attested)) return
    const said = { attestation, body: attestationCodec.encode(attestation), isSubmitted: false }
    this.#said = [...this.#said, said].slice(-KEPT_SAID)
    void this.#sign(said)
  }

  async #sign(said: Said): Promise<void> {
    const { key } = this.#init
    const signature = await sign(key, DOMAIN.attestation, said.body)
    this.#shares.add(key.publicKey.raw, said.body, signature)
    this.#say(said)
  }

  #say(said: Said): void {
    const { key, share } = this.#init
    const [own] = this.#shares.of(said.body, [key.publicKey.raw])
    const isRecorded = isAmong(operatorOf(this.#init.name, this.#init.mesh.state)?.members, key.publicKey.raw)
    if (own !== undefined && isRecorded) share(signedAttestationCodec.encode({ a: said.body, s: [own] }))
    said.isSubmitted = false
    this.#submit()
  }

  #submit(): void {
    const { members, attested } = operatorOf(this.#init.name, this.#init.mesh.state) ?? { members: [] }
    for (const said of this.#said) {
      const signatures = this.#shares.of(said.body, members)
      const isWhole = signatures.length * 2 > members.length
      if (said.isSubmitted || !isWhole || !isNewer(said.attestation, attested)) continue
      said.isSubmitted = true
      this.#init.submit(signedAttestationCodec.encode({ a: said.body, s: signatures }))
    }
  }
}

type Place = Pick<Attested, 'epoch' | 'index'>

function isNewer(one: Place, than: Place | undefined): boolean {
  return than === undefined || one.epoch > than.epoch || (one.epoch === than.epoch && one.index > than.index)
}

function isSame(one: Place, other: Place): boolean {
  return one.epoch === other.epoch && one.index === other.index
}

function isAt({ index }: Mark): (said: Said) => boolean {
  return ({ attestation }) => attestation.index === index
}

function isAmong(keys: readonly Uint8Array[] = [], key: Uint8Array): boolean {
  return keys.some((one) => equalBytes(one, key))
}
