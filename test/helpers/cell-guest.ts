import { generateKeyPair } from '@libp2p/crypto/keys'
import type { ConnectionEncrypter, Ed25519PrivateKey } from '@libp2p/interface'
import { peerIdFromPrivateKey } from '@libp2p/peer-id'
import { tcp } from '@libp2p/tcp'
import { yamux } from '@libp2p/yamux'
import { multiaddr } from '@multiformats/multiaddr'
import { createLibp2p } from 'libp2p'
import { encrypterOf } from '../../node/network/encrypter.ts'
import {
  joinHost,
  parseTicket,
  refusalFrom,
  type AdmissionHost,
  type Certificate,
} from '../../protocols/admission/index.ts'

/** A key that comes to a node's door. */
export class Guest {
  readonly #key: Ed25519PrivateKey

  private constructor(key: Ed25519PrivateKey) {
    this.#key = key
  }

  static async make(): Promise<Guest> {
    return new Guest(await generateKeyPair('Ed25519'))
  }

  get id(): string {
    return peerIdFromPrivateKey(this.#key).toString()
  }

  /** Gives a ticket to whichever node listens at the address. @returns the certificates, or the code of the refusal */
  async redeem(address: string, text: string, name: string): Promise<Certificate[] | string> {
    const ticket = parseTicket(text)
    const { host, joined } = joinHost({ ticket, self: peerIdFromPrivateKey(this.#key), name })
    return (await this.knock(address, host)) ?? joined()?.chain ?? 'no certificate'
  }

  /** @returns the code with which the node refused; undefined when it let the guest in */
  async knock(address: string, host: AdmissionHost): Promise<string | undefined> {
    const libp2p = await createLibp2p({
      privateKey: this.#key,
      transports: [tcp()],
      connectionEncrypters: [(await encrypterOf('noise', host)) as (components: unknown) => ConnectionEncrypter],
      streamMuxers: [yamux()],
      connectionManager: { reconnectRetries: 0 },
    })
    try {
      await libp2p.dial(multiaddr(address))
      return undefined
    } catch (error) {
      return refusalFrom(error)?.code ?? String(error)
    } finally {
      await libp2p.stop()
    }
  }
}
