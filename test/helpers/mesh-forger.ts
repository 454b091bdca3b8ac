import {
  certificateCodec,
  cidOfSet,
  DOMAIN,
  genesisState,
  headerCodec,
  partsCodec,
  validatorsCodec,
  valueOf,
  voteBody,
  type EpochHeader,
} from '../../consensus/epoch/index.ts'
import { buildExport, type ExportChain } from '../../consensus/light/build-export.ts'
import { compareBytes, equalBytes } from '../../consensus/light/bytes.ts'
import type { Validator } from '../../consensus/mesh/engine.ts'
import { resolvePaths } from '../../node/config/paths.ts'
import { requireMembership } from '../../node/network/membership-files.ts'
import { loadNodeKey } from '../../node/storage/key-file.ts'
import { createSyncHandler, type SyncHandler } from '../../protocols/sync/index.ts'
import type { SyncEpoch } from '../../protocols/sync/types.ts'
import { genesisCodec } from '../../protocols/admission/codec.ts'
import { createLog } from '../../node/telemetry/log.ts'
import type { MeshMember } from './mesh-member.ts'
import { Pen } from './mesh-pen.ts'

/** How far ahead it says that it is, so that all who follow turn to it. */
const BOAST = 1_000
const ONE = 2 ** 30

export type Changes = Partial<EpochHeader>

/**
 * Has the keys of validators that are none any more, and the record: what it hands out of later epochs is as it should be
 * but for T_global, and certified by those keys.
 */
export class Forger {
  /** of epochs that it has handed out forged */
  readonly served: number[] = []
  readonly #member: MeshMember
  readonly #pens: readonly Pen[]
  readonly #genesis: Uint8Array
  #handler: SyncHandler | undefined

  private constructor(member: MeshMember, pens: readonly Pen[], genesis: Uint8Array) {
    this.#member = member
    this.#pens = pens.toSorted((a, b) => compareBytes(a.key, b.key))
    this.#genesis = genesis
  }

  /** @param directories - of the nodes whose keys it has: founders of the mesh */
  static async of(member: MeshMember, directories: readonly string[]): Promise<Forger> {
    const homes = directories.map((path) => resolvePaths({ path, env: {} }))
    const pens = await Promise.all(homes.map(async ({ key }) => Pen.of(await loadNodeKey(key), member.pen.mesh)))
    const { genesis } = await requireMembership(homes[0]!)
    return new Forger(member, pens, genesisCodec.encode(genesis))
  }

  /** Who decided the first epoch. */
  get founders(): readonly Validator[] {
    return genesisState(genesisCodec.decode(this.#genesis), this.#member.pen.mesh).validators
  }

  /** Answers on `/kairos/sync/1.0.0`: the truth up to `lastTrue`, what it has forged of all that comes after. */
  async serve(lastTrue: number): Promise<void> {
    const { record, network } = this.#member
    this.#handler = createSyncHandler({
      libp2p: network.libp2p,
      chain: {
        head: () => ({ height: record.state.height + BOAST, value: record.state.head, lowest: 1 }),
        epoch: (height) => (height <= lastTrue ? this.#kept(height) : this.#serve(height)),
        state: async () => undefined,
        onHead: (listener) => record.onFinal(() => listener()),
      },
      isMember: () => true,
      refused: () => undefined,
      judge: () => undefined,
      log: createLog({ level: 'silent', format: 'text' }).forComponent('kairos:test'),
    })
    await this.#handler.start()
  }

  async stop(): Promise<void> {
    await this.#handler?.stop()
  }

  /** @param changes - of the header, beside T_global */
  async forge(height: number, changes: Changes = {}): Promise<SyncEpoch> {
    const { header, ...lists } = partsCodec.decode((await this.#kept(height)).block)
    const forged = headerCodec.encode({ ...headerCodec.decode(header), t: [ONE, 0], median: [ONE, 0], ...changes })
    const block = partsCodec.encode({ header: forged, ...lists })
    const value = valueOf(forged)
    const body = voteBody(this.#member.pen.mesh, { height, round: 0, kind: 'precommit', value })
    const sign = (pen: Pen) => ({ validator: pen.key, signature: pen.sign(DOMAIN.vote, body) })
    const certificate = { height, round: 0, value, signatures: this.#pens.map(sign) }
    return { height, block, certificate: certificateCodec.encode(certificate) }
  }

  /** As `kairos epoch export` makes it, of a record in which some epochs are not as they should be. */
  export(height: number, from: number, forged: readonly SyncEpoch[], sets: readonly (readonly Validator[])[] = []) {
    const chain: ExportChain = {
      genesis: this.#genesis,
      epoch: async (of) => forged.find((epoch) => epoch.height === of) ?? this.#kept(of),
      set: async (cid) => {
        const own = sets.find((set) => equalBytes(cidOfSet(set), cid))
        return own ? validatorsCodec.encode(own) : this.#member.record.chain.set(cid)
      },
      stateBefore: async () => undefined,
    }
    return buildExport(chain, height, from)
  }

  /** Of an epoch that has not come yet when it comes. */
  async #serve(height: number): Promise<SyncEpoch> {
    const { record } = this.#member
    while (record.state.height < height) {
      const { promise, resolve } = Promise.withResolvers<void>()
      const end = record.onFinal(() => resolve())
      await promise
      end()
    }
    this.served.push(height)
    return this.forge(height)
  }

  async #kept(height: number): Promise<SyncEpoch> {
    const epoch = await this.#member.record.chain.epoch(height)
    if (epoch === undefined) throw new Error(`the forger does not have epoch ${height}`)
    return { height, ...epoch }
  }
}
