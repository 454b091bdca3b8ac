import { certificateCodec } from '../../../consensus/epoch/certificate-codec.ts'
import { cidOfSet, validatorsCodec } from '../../../consensus/epoch/set-codec.ts'
import { stateCodec } from '../../../consensus/epoch/state-codec.ts'
import type { OpenedBlock } from '../../../consensus/epoch/index.ts'
import type { ExportChain } from '../../../consensus/light/build-export.ts'
import { genesisCodec } from '../../../protocols/admission/codec.ts'
import { createGenesis } from '../../../protocols/admission/index.ts'
import { CREATED, TestMesh, type Step } from '../epoch/mesh.ts'

/** A mesh of four operators of two nodes each, whose epochs, sets and states are all kept. */
export class TestRecord extends TestMesh implements ExportChain {
  readonly genesis: Uint8Array
  readonly #states: Uint8Array[] = []
  readonly #sets = new Map<string, Uint8Array>()

  constructor() {
    super({ alpha: 2, beta: 2, gamma: 2, delta: 2 })
    this.genesis = genesisCodec.encode(genesisOf(this))
  }

  /** One epoch, whose validators hold a report of every node. */
  override advance(step: Step = {}): OpenedBlock {
    const { state } = this
    this.#states.push(stateCodec.encode(state))
    for (const set of [state.validators, state.nextValidators]) {
      this.#sets.set(cidOfSet(set).join(), validatorsCodec.encode(set))
    }
    const reports = this.nodes.map((node, i) => this.report(node, [2 ** 29 + i, 2 ** 28]))
    return super.advance({ holds: () => reports, ...step })
  }

  async epoch(height: number) {
    const final = this.finals[height - 1]
    return final && { block: final.bytes, certificate: certificateCodec.encode(final.certificate) }
  }

  async set(cid: Uint8Array) {
    return this.#sets.get(cid.join())
  }

  async stateBefore(height: number) {
    return this.#states[height - 1]
  }
}

export function genesisOf({ nodes }: TestMesh) {
  const founders = nodes.map(({ peerId, name, cell }) => ({ peerId, name, cell, role: 'full' as const }))
  return createGenesis(founders, { name: 'test', created: CREATED })
}
