import type { Ed25519PrivateKey } from '@libp2p/interface'
import {
  commandBody,
  DOMAIN,
  extensionBody,
  proposalBody,
  sealCommand,
  voteBody,
  type ComplexQ30,
  type GovernanceCommand,
} from '../../consensus/epoch/index.ts'
import { concatBytes } from '../../consensus/light/bytes.ts'
import { signReport } from '../../protocols/phase/index.ts'
import { loadBft, type Bft } from '../../wasm/bft/load.ts'
import { encodeMessage } from '../../wasm/bft/messages.ts'
import type { Proposal, SignedExtension, Vote } from '../../wasm/bft/types.ts'

const ONE = 2 ** 30

/** Signs whatever it is told to with the key of one node: none of the product's care is in it. */
export class Pen {
  readonly privateKey: Ed25519PrivateKey
  readonly mesh: Uint8Array
  readonly #bft: Bft
  #reports = 0

  private constructor(privateKey: Ed25519PrivateKey, mesh: Uint8Array, bft: Bft) {
    this.privateKey = privateKey
    this.mesh = mesh
    this.#bft = bft
  }

  /** @param mesh - CID bytes of the genesis */
  static async of(privateKey: Ed25519PrivateKey, mesh: Uint8Array): Promise<Pen> {
    return new Pen(privateKey, mesh, await loadBft())
  }

  get key(): Uint8Array {
    return this.privateKey.publicKey.raw
  }

  sign(domain: string, body: Uint8Array): Uint8Array {
    const bytes = concatBytes(new TextEncoder().encode(`${domain}\0`), body)
    return this.#bft.sign(this.privateKey.raw.subarray(0, 32), bytes)
  }

  /** @param extension - of a precommit with a value */
  vote(vote: Pick<Vote, 'kind' | 'height' | 'round' | 'value'>, extension?: Uint8Array): Uint8Array {
    const signature = this.sign(DOMAIN.vote, voteBody(this.mesh, vote))
    const said = extension && this.extension({ ...vote, bytes: extension })
    return encodeMessage({ type: 'vote', ...vote, validator: this.key, signature, extension: said })
  }

  extension(of: Pick<Vote, 'height' | 'round' | 'value'> & { bytes: Uint8Array }): SignedExtension | undefined {
    const { height, round, value, bytes } = of
    if (value === undefined) return undefined
    const body = extensionBody(this.mesh, { height, round, value, validator: this.key, extension: bytes })
    return { bytes, signature: this.sign(DOMAIN.extension, body) }
  }

  proposal(proposal: Pick<Proposal, 'height' | 'round' | 'value'>): Uint8Array {
    const said = { polRound: -1, ...proposal }
    const signature = this.sign(DOMAIN.proposal, proposalBody(this.mesh, said))
    return encodeMessage({ type: 'proposal', ...said, validator: this.key, signature })
  }

  command(command: object): Uint8Array {
    const body = commandBody({ ...command, mesh: this.mesh, by: this.key } as GovernanceCommand)
    return sealCommand(body, this.sign(DOMAIN.governance, body))
  }

  /** @param t - in the unit disc; each one is another report, be it of the same epoch */
  report(epoch: number, [re, im]: readonly [number, number]): Promise<Uint8Array> {
    const t = (): ComplexQ30 => [Math.trunc(re * ONE), Math.trunc(im * ONE)]
    return signReport(this.privateKey, {
      mesh: this.mesh,
      author: this.key,
      epoch,
      seq: Date.now() * 1000 + this.#reports++,
      time: Date.now(),
      periodMs: 1000,
      emissary: [...t()] as [number, number],
      master: [...t()] as [number, number],
      sync: [...t()] as [number, number],
      nEffMilli: 20_000,
      collapsed: { emissary: false, master: false, sync: false },
      alignment: null,
      heads: [],
    })
  }
}
