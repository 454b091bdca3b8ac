import { base58btc } from 'multiformats/bases/base58'
import {
  attestationCodec,
  cidOf,
  commandBody,
  DOMAIN,
  extensionBody,
  genesisState,
  sealCommand,
  signedAttestationCodec,
  voteBody,
  type Attestation,
  type ComplexQ30,
  type EpochPorts,
  type GovernanceCommand,
  type MeshState,
  type OpenedReport,
} from '../../../consensus/epoch/index.ts'
import { proposalBody } from '../../../consensus/epoch/signed-bytes.ts'
import { concatBytes, equalBytes } from '../../../consensus/light/bytes.ts'
import { agree, countedReport, createEpochPorts } from '../../../node/mesh/epoch-ports.ts'
import { decodeReport, encodeReport, envelopeCodec } from '../../../protocols/phase/codec.ts'
import { loadBft, type Bft } from '../../../wasm/bft/load.ts'
import { encodeMessage } from '../../../wasm/bft/messages.ts'
import type { Proposal, SignedExtension, Vote } from '../../../wasm/bft/types.ts'
import { reportBy, withT } from '../../unit/phase/reports.ts'

export const CREATED = 1_700_000_000_000
const PEER_ID_PREFIX = Uint8Array.of(0x00, 0x24, 0x08, 0x01, 0x12, 0x20)
const PHASE_DOMAIN = 'kairos/phase/1'

export interface Identity {
  readonly number: number
  readonly cell: string
  readonly seed: Uint8Array
  readonly key: Uint8Array
}

const loading = new Map<boolean, Promise<Bft>>()

/** Who there is and how they sign: with tokens that anybody could make but only their owner does, or with ed25519. */
export class Keys {
  readonly bft: Bft
  readonly ports: EpochPorts
  readonly mesh = cidOf(new TextEncoder().encode('a simulated mesh'))
  /** by number; the last is of an operator that the genesis does not know */
  readonly identities: readonly Identity[]
  readonly #opened = new Map<string, OpenedReport | undefined>()

  private constructor(bft: Bft, isReal: boolean, count: number) {
    this.bft = bft
    this.identities = Array.from({ length: count + 1 }, (_, number) => {
      const seed = new Uint8Array(32).fill(number + 1)
      return { number, cell: `cell-${String.fromCharCode(97 + number)}`, seed, key: bft.publicKey(seed) }
    })
    const honest = createEpochPorts(this.mesh)
    const tokens: EpochPorts = {
      agree,
      isKey: () => true,
      verify: (key, domain, body, signature) => bft.verify(key, withDomain(domain, body), signature),
      openReport: (envelope) => this.#openToken(envelope),
    }
    const ports = isReal ? honest : tokens
    this.ports = { ...ports, openReport: (envelope, digest) => this.#openOnce(envelope, digest, ports) }
  }

  static async of(count: number, isReal: boolean): Promise<Keys> {
    if (!loading.has(isReal)) loading.set(isReal, loadBft(isReal ? {} : { variant: 'tokens' }))
    return new Keys(await loading.get(isReal)!, isReal, count)
  }

  /** An instance that trapped is not used again. */
  static forget(): void {
    loading.clear()
  }

  ofKey(key: Uint8Array): Identity | undefined {
    return this.identities.find((identity) => equalBytes(identity.key, key))
  }

  genesis(policy: Partial<MeshState['policy']>): MeshState {
    const operators = this.identities.slice(0, -1).map(({ cell, key }) => ({
      name: cell,
      cell,
      weight: 1,
      founders: [{ peerId: base58btc.baseEncode(concatBytes(PEER_ID_PREFIX, key)), role: 'full' }],
    }))
    const state = genesisState({ created: CREATED, collapseThreshold: 0.5, epochMs: 1000, operators }, this.mesh)
    return { ...state, policy: { ...state.policy, ...policy } }
  }

  sign({ seed }: Identity, domain: string, body: Uint8Array): Uint8Array {
    return this.bft.sign(seed, withDomain(domain, body))
  }

  vote(
    by: Identity,
    vote: Omit<Vote, 'type' | 'validator' | 'signature' | 'extension'>,
    said?: Uint8Array,
  ): Uint8Array {
    const { height, round, value } = vote
    const signature = this.sign(by, DOMAIN.vote, voteBody(this.mesh, vote))
    let extension: SignedExtension | undefined
    if (said !== undefined && value !== undefined) {
      const body = extensionBody(this.mesh, { height, round, value, validator: by.key, extension: said })
      extension = { bytes: said, signature: this.sign(by, DOMAIN.extension, body) }
    }
    return encodeMessage({ type: 'vote', ...vote, validator: by.key, signature, extension })
  }

  proposal(by: Identity, proposal: Omit<Proposal, 'type' | 'validator' | 'signature'>): Uint8Array {
    const signature = this.sign(by, DOMAIN.proposal, proposalBody(this.mesh, proposal))
    return encodeMessage({ type: 'proposal', ...proposal, validator: by.key, signature })
  }

  command(by: Identity, command: object): Uint8Array {
    const body = commandBody({ ...command, mesh: this.mesh, by: by.key } as GovernanceCommand)
    return sealCommand(body, this.sign(by, DOMAIN.governance, body))
  }

  attestation(by: Identity, about: Omit<Attestation, 'mesh' | 'cell'>): Uint8Array {
    const a = attestationCodec.encode({ ...about, mesh: this.mesh, cell: by.cell })
    return signedAttestationCodec.encode({ a, s: [[by.key, this.sign(by, DOMAIN.attestation, a)]] })
  }

  /** The same for the same arguments, whenever it is made. */
  report(by: Identity, epoch: number, t: ComplexQ30): Uint8Array {
    const says = { mesh: this.mesh, epoch, seq: epoch, time: CREATED + 1000 * epoch, alignment: null, ...withT(t) }
    const body = encodeReport(reportBy({ publicKey: { raw: by.key } }, says))
    return envelopeCodec.encode({ b: body, s: this.sign(by, PHASE_DOMAIN, body) })
  }

  /** It follows from the bytes alone, so what one node found out holds for all. */
  #openOnce(envelope: Uint8Array, digest: string, ports: EpochPorts): OpenedReport | undefined {
    if (!this.#opened.has(digest)) this.#opened.set(digest, ports.openReport(envelope, digest))
    return this.#opened.get(digest)
  }

  #openToken(envelope: Uint8Array): OpenedReport | undefined {
    try {
      const { b, s } = envelopeCodec.decode(envelope)
      const report = decodeReport(b)
      const isSaid = this.bft.verify(report.author, withDomain(PHASE_DOMAIN, b), s)
      return isSaid && equalBytes(report.mesh, this.mesh) ? countedReport(report) : undefined
    } catch {
      return undefined
    }
  }
}

function withDomain(domain: string, body: Uint8Array): Uint8Array {
  return concatBytes(new TextEncoder().encode(`${domain}\0`), body)
}
