import { createHash, createPrivateKey, createPublicKey, sign, type KeyObject } from 'node:crypto'
import { publicKeyFromRaw } from '@libp2p/crypto/keys'
import { peerIdFromPublicKey } from '@libp2p/peer-id'
import { toString } from 'uint8arrays/to-string'
import type { ExportChain } from '../../consensus/light/build-export.ts'
import { compareBytes } from '../../consensus/light/bytes.ts'
import { precommitBytes } from '../../consensus/light/certificate.ts'
import { foundingSet } from '../../consensus/light/powers.ts'
import { blockCodec, encodeLists, linksOf } from '../../consensus/epoch/block-codec.ts'
import { certificateCodec } from '../../consensus/epoch/certificate-codec.ts'
import { cidOf } from '../../consensus/epoch/cid.ts'
import { headerCodec } from '../../consensus/epoch/header-codec.ts'
import { validatorsCodec } from '../../consensus/epoch/set-codec.ts'
import type { EpochHeader } from '../../consensus/epoch/types.ts'
import { genesisCodec } from '../../protocols/admission/codec.ts'
import { createGenesis } from '../../protocols/admission/genesis.ts'
import type { CommitCertificate, Validator } from '../../wasm/bft/types.ts'

/** A validator of tests: the same key for the same number. */
export interface TestKey {
  readonly key: Uint8Array
  readonly secret: KeyObject
}

export function testKey(number: number): TestKey {
  const seed = createHash('sha256').update(`light chain ${number}`).digest()
  const der = Buffer.concat([Buffer.from('302e020100300506032b657004220420', 'hex'), seed])
  const secret = createPrivateKey({ key: der, format: 'der', type: 'pkcs8' })
  const key = new Uint8Array(createPublicKey(secret).export({ format: 'der', type: 'spki' }).subarray(-32))
  return { key, secret }
}

/** Each with the same power. */
export function setOf(...numbers: number[]): Validator[] {
  return numbers.map((number) => ({ key: testKey(number).key, power: 100 })).sort((a, b) => compareBytes(a.key, b.key))
}

export const CREATED = 1_800_000_000_000
export const EPOCH_MS = 1000
const LISTS = { precommits: null, reports: [], attestations: [], governance: [], evidence: [] }

export function peerIdOf(number: number): string {
  return peerIdFromPublicKey(publicKeyFromRaw(testKey(number).key)).toString()
}

/** A genesis of one operator per number. */
export function lightGenesis(...numbers: number[]): Uint8Array {
  const entries = numbers.map((number) => ({
    peerId: peerIdOf(number),
    name: `node-${number}`,
    cell: `cell-${number}`,
    role: 'full' as const,
  }))
  return genesisCodec.encode(createGenesis(entries, { name: 'lights', created: CREATED }))
}

/** Signs a decision as validators do, whoever they are. */
export function certify(
  mesh: Uint8Array,
  decision: Omit<CommitCertificate, 'signatures'>,
  numbers: readonly number[],
  message: Uint8Array = precommitBytes(mesh, decision),
): CommitCertificate {
  const signatures = numbers
    .map(testKey)
    .map(({ key, secret }) => ({ validator: key, signature: new Uint8Array(sign(null, message, secret)) }))
  return { ...decision, signatures: signatures.sort((a, b) => compareBytes(a.validator, b.validator)) }
}

export interface LightEpoch {
  readonly header: EpochHeader
  readonly cid: Uint8Array
  readonly block: Uint8Array
  readonly certificate: CommitCertificate
}

/** Numbers of the validators of each height; those of height 1 are the genesis's. */
export type SetsOf = (height: number) => readonly number[]

/** A chain whose blocks are empty, signed by all validators of each height. */
export class LightChain implements ExportChain {
  readonly genesis: Uint8Array
  readonly mesh: Uint8Array
  readonly epochs: LightEpoch[] = []
  readonly #sets: SetsOf
  readonly #known = new Map<string, Uint8Array>()

  constructor(sets: SetsOf, length: number) {
    this.#sets = sets
    this.genesis = lightGenesis(...sets(1))
    this.mesh = cidOf(this.genesis)
    while (this.epochs.length < length) this.epochs.push(this.make(this.epochs.length + 1))
  }

  setAt(height: number): Validator[] {
    if (height > 1) return setOf(...this.#sets(height))
    return foundingSet(this.#sets(1).map((number) => ({ weight: 1, members: [testKey(number).key] })))
  }

  /** @param changes - what a forger would have in the header instead, and who signs */
  make(height: number, changes: Partial<EpochHeader> = {}, signers = this.#sets(height)): LightEpoch {
    const header: EpochHeader = {
      v: 1,
      mesh: this.mesh,
      height,
      round: 0,
      time: CREATED + height * EPOCH_MS,
      proposer: testKey(signers[0]!).key,
      previous: height === 1 ? this.mesh : this.epochs[height - 2]!.cid,
      validators: cidOf(this.keep(this.setAt(height))),
      nextValidators: cidOf(this.keep(this.setAt(height + 1))),
      state: cidOf(stateBytes(height)),
      ...linksOf(encodeLists(LISTS)),
      t: [height, -height],
      median: [height, -height],
      decision: { collapsed: false, agreeingWeight: 0, reportingWeight: 0, totalWeight: 4 },
      ...changes,
    }
    const cid = cidOf(headerCodec.encode(header))
    const certificate = certify(header.mesh, { height, round: 0, value: cid }, signers)
    return { header, cid, block: blockCodec.encode({ header, ...LISTS }), certificate }
  }

  /** Encodes a set; `set` knows it from here on. */
  keep(set: readonly Validator[]): Uint8Array {
    const bytes = validatorsCodec.encode(set)
    this.#known.set(toString(cidOf(bytes), 'hex'), bytes)
    return bytes
  }

  async epoch(height: number) {
    const epoch = this.epochs[height - 1]
    return epoch && { block: epoch.block, certificate: certificateCodec.encode(epoch.certificate) }
  }

  async set(cid: Uint8Array): Promise<Uint8Array | undefined> {
    return this.#known.get(toString(cid, 'hex'))
  }

  async stateBefore(height: number): Promise<Uint8Array | undefined> {
    return stateBytes(height)
  }
}

/** In place of a state: nobody reads it here. */
function stateBytes(height: number): Uint8Array {
  return new TextEncoder().encode(`state before ${height}`)
}
