import {
  blockCodec,
  certificateCodec,
  cidOfSet,
  EpochApplication,
  genesisState,
  plain,
  stateCodec,
  validatorsCodec,
  type ApplicationInit,
  type EpochPorts,
  type EpochStore,
  type FinalEpoch,
  type MeshState,
} from '../../consensus/epoch/index.ts'
import { equalBytes } from '../../consensus/light/bytes.ts'
import type { Validator } from '../../consensus/mesh/engine.ts'
import type { Genesis } from '../../protocols/admission/index.ts'
import { codeOf, messageOf, type CodedError } from '../../protocols/shared/errors.ts'
import type { Log } from '../telemetry/log.ts'
import type { ChainStore } from './chain.ts'
import { damagedChain, type StoredEpoch } from './chain-head.ts'
import type { Beginning } from './checkpoint.ts'
import { openMeshStores, type MeshStores } from './open.ts'
import type { MeshWal } from './wal.ts'

export interface EpochRecordInit {
  directory: string
  genesis: Genesis
  meshId: string
  /** CID bytes of the genesis */
  mesh: Uint8Array
  peerId: string
  keep: number
  isValidator: boolean
  ports: EpochPorts
  fetchReports: ApplicationInit['fetchReports']
  onFatal: (error: CodedError) => void
  log: Log
}

type OnFinal = (final: FinalEpoch, state: MeshState) => void

/** The epochs that are final on this node, whoever decided them, and what follows from them. */
export class EpochRecord {
  readonly #init: EpochRecordInit
  #application: EpochApplication
  readonly #stores: MeshStores
  readonly #listeners = new Set<OnFinal>()
  readonly #log: Log
  /** CIDs of the sets that are known to be stored. */
  #stored: Uint8Array[] = []

  private constructor(init: EpochRecordInit, stores: MeshStores, at: Place) {
    this.#init = init
    this.#stores = stores
    this.#log = init.log
    this.#application = this.#applicationAt(at)
  }

  /** @throws {CodedError} as {@link openMeshStores} */
  static async open(init: EpochRecordInit): Promise<EpochRecord> {
    const firstVote = async (chain: ChainStore) => firstVoteAfter((await lastOf(chain, init)).state)
    const stores = await openMeshStores({ ...init, trim, firstVote })
    try {
      return new EpochRecord(init, stores, await lastOf(stores.chain, init))
    } catch (error) {
      await stores.close()
      throw error
    }
  }

  get application(): EpochApplication {
    return this.#application
  }

  get chain(): ChainStore {
    return this.#stores.chain
  }

  get wal(): MeshWal | undefined {
    return this.#stores.wal
  }

  get state(): MeshState {
    return this.application.state
  }

  /** @returns undefined when it is not final here, or no longer kept */
  async final(height: number): Promise<FinalEpoch | undefined> {
    const stored = await this.chain.epoch(height)
    return (
      stored && { block: blockCodec.decode(stored.block), certificate: certificateCodec.decode(stored.certificate) }
    )
  }

  /** @returns who is in the set of this CID; empty when it is not kept */
  async set(cid: Uint8Array): Promise<readonly Validator[]> {
    const bytes = await this.chain.set(cid)
    return bytes === undefined ? [] : validatorsCodec.decode(bytes)
  }

  /** In order, each after it is durable. @returns what ends it */
  onFinal(listener: OnFinal): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /** Goes on after an epoch that was verified otherwise, before anybody has taken hold of the application. */
  async beginAt({ epoch, state }: Beginning): Promise<void> {
    const sets = [state.lastValidators, state.validators].map(storedSet)
    await this.chain.install(state.height, epoch, { state: stateCodec.encode(state), sets })
    this.#application = this.#applicationAt({ state, certificate: certificateCodec.decode(epoch.certificate) })
  }

  close(): Promise<void> {
    return this.#stores.close()
  }

  #applicationAt(at: Place): EpochApplication {
    const { ports, fetchReports } = this.#init
    const onFinal: OnFinal = (final, state) => this.#tell(final, state)
    return new EpochApplication({ ...at, ports, fetchReports, store: this.#epochStore(), now: Date.now, onFinal })
  }

  #epochStore(): EpochStore {
    const { chain } = this.#stores
    return {
      persist: (value, block) => chain.persist(value, block),
      proposal: (value) => chain.proposal(value),
      commit: async (height, epoch, state) => {
        const { validators, nextValidators } = this.state
        const sets = [validators, nextValidators].filter(
          (set) => !this.#stored.some((cid) => equalBytes(cid, cidOfSet(set))),
        )
        await chain.commit(height, epoch, { state, sets: sets.map(storedSet) })
        this.#stored = [validators, nextValidators].map(cidOfSet)
      },
    }
  }

  #tell(final: FinalEpoch, state: MeshState): void {
    for (const listener of this.#listeners) {
      try {
        listener(final, state)
      } catch (error) {
        this.#log.error('somebody did not take a final epoch', { height: state.height, code: codeOf(error) })
      }
    }
  }
}

type Place = Pick<ApplicationInit, 'state' | 'certificate'>

function storedSet(set: readonly Validator[]) {
  return { cid: cidOfSet(set), bytes: validatorsCodec.encode(set) }
}

async function lastOf(chain: ChainStore, { genesis, mesh }: EpochRecordInit) {
  const { height, value } = chain.head
  const [bytes, epoch] = await Promise.all([chain.state(), chain.epoch(height)])
  if (bytes === undefined || epoch === undefined) return { state: genesisState(genesis, mesh), certificate: null }
  const { state, certificate } = read(bytes, epoch)
  if (state.height !== height || !equalBytes(state.head, value) || !equalBytes(state.mesh, mesh)) {
    throw damagedChain(`the state that is kept is not that after epoch ${height}`)
  }
  return { state, certificate }
}

/**
 * Without its log a validator may have voted on the epoch after the last that it has, and on none after that. Who is
 * alone can wait for nobody to bring that epoch, and nobody has heard another word of it.
 */
function firstVoteAfter({ height, validators }: MeshState): number {
  return height === 0 || validators.length === 1 ? 0 : height + 2
}

function read(state: Uint8Array, { certificate }: StoredEpoch) {
  try {
    return { state: stateCodec.decode(state), certificate: certificateCodec.decode(certificate) }
  } catch (error) {
    throw damagedChain(messageOf(error), error)
  }
}

/** The next block carries what the signers saw. */
function trim(certificate: Uint8Array): Uint8Array {
  return certificateCodec.encode(plain(certificateCodec.decode(certificate)))
}
