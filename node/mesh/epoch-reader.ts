import { genesisState, type FinalEpoch } from '../../consensus/epoch/index.ts'
import { buildExport, type ExportChain } from '../../consensus/light/build-export.ts'
import { genesisCodec } from '../../protocols/admission/codec.ts'
import type { Genesis } from '../../protocols/admission/index.ts'
import { CodedError, codeOf } from '../../protocols/shared/errors.ts'
import type { EpochDocument, EpochRow, ValidatorsDocument } from '../operations-mesh.ts'
import { epochDocument, epochRow, validatorsDocument, type Naming } from './documents.ts'
import type { EpochRecord } from './epoch-record.ts'
import { stateBefore } from './state-before.ts'

export interface EpochReaderInit {
  record: EpochRecord
  genesis: Genesis
  naming: Naming
}

/** What is asked of the record: rows, documents, exports. */
export class EpochReader {
  readonly #init: EpochReaderInit

  constructor(init: EpochReaderInit) {
    this.#init = init
  }

  /** Newest first unless `from` is given: then from there upward. */
  async *rows({ from, limit }: { from?: number; limit: number }): AsyncGenerator<EpochRow> {
    const { record, naming } = this.#init
    const { height: last, oldest } = record.chain.head
    const step = from === undefined ? -1 : 1
    let height = from === undefined ? last : Math.max(from, oldest)
    for (let left = limit; left > 0 && height >= oldest && height <= record.state.height; left--, height += step) {
      const final = await record.final(height)
      // What was kept a moment ago may have made room since.
      if (final !== undefined) yield epochRow(final, naming)
    }
  }

  /** @throws {CodedError} E_EPOCH_UNKNOWN */
  async document(height: number | 'latest'): Promise<EpochDocument> {
    const final = await this.#final(height)
    return epochDocument(final, await this.#init.record.set(final.block.header.validators), this.#init.naming)
  }

  /** @throws {CodedError} E_EPOCH_UNKNOWN, E_INVALID_INPUT, E_LIGHT_NOT_KEPT, E_LIGHT_EXPORT_TOO_LARGE */
  async export(height: number | 'latest', from?: number): Promise<Uint8Array> {
    const { block } = await this.#final(height)
    if (from !== undefined && from > block.header.height) throw backwards(from, block.header.height)
    const chain = this.#exportChain()
    if (from !== undefined) return buildExport(chain, block.header.height, from)
    try {
      return await buildExport(chain, block.header.height)
    } catch (error) {
      if (codeOf(error) !== 'E_LIGHT_NOT_KEPT') throw error
      // The way from the genesis is gone: who reads it needs a checkpoint, of the oldest epoch that is kept here.
      return buildExport(chain, block.header.height, this.#init.record.chain.head.oldest)
    }
  }

  validators(): ValidatorsDocument {
    return validatorsDocument(this.#init.record.state, this.#init.naming)
  }

  async #final(height: number | 'latest'): Promise<FinalEpoch> {
    const { record } = this.#init
    const wanted = height === 'latest' ? record.state.height : height
    const final = await record.final(wanted)
    if (final !== undefined) return final
    const { oldest, height: last } = record.chain.head
    const what = last === 0 ? 'no epoch is final yet' : `epochs ${oldest} to ${last} are kept here`
    throw new CodedError('E_EPOCH_UNKNOWN', `epoch ${wanted} is not here: ${what}`, {
      hint: wanted > last ? 'wait until it is final' : 'ask a witness, which keeps all',
    })
  }

  #exportChain(): ExportChain {
    const { record, genesis } = this.#init
    const { chain } = record
    return {
      genesis: genesisCodec.encode(genesis),
      epoch: (height) => chain.epoch(height),
      set: (cid) => chain.set(cid),
      stateBefore: (height) => stateBefore(chain, genesisState(genesis, record.state.mesh), height),
    }
  }
}

function backwards(from: number, height: number): CodedError {
  return new CodedError('E_INVALID_INPUT', `the way to epoch ${height} cannot begin at epoch ${from}, after it`, {
    hint: 'name the checkpoint that whoever verifies it has: one of that epoch, or before it',
  })
}
