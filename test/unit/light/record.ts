import { certificateCodec } from '../../../consensus/epoch/certificate-codec.ts'
import { stateCodec } from '../../../consensus/epoch/state-codec.ts'
import { cidOfSet, validatorsCodec } from '../../../consensus/epoch/set-codec.ts'
import type { ExportChain } from '../../../consensus/light/build-export.ts'
import { genesisCodec } from '../../../protocols/admission/codec.ts'
import { createGenesis } from '../../../protocols/admission/index.ts'
import { CREATED, TestMesh, type Step } from '../epoch/mesh.ts'

/** A mesh of four operators whose epochs, sets and states are all kept. */
export class TestRecord implements ExportChain {
  readonly of = new TestMesh({ alpha: 1, beta: 1, gamma: 1, delta: 1 })
  readonly genesis = genesisCodec.encode(genesisOf(this.of))
  readonly #states: Uint8Array[] = []
  readonly #sets = new Map<string, Uint8Array>()

  /** One epoch, with a report of every node in it from the second on. */
  advance(step: Step = {}): void {
    const { state } = this.of
    this.#states.push(stateCodec.encode(state))
    for (const set of [state.validators, state.nextValidators]) {
      this.#sets.set(cidOfSet(set).join(), validatorsCodec.encode(set))
    }
    const reports = this.of.nodes.map((node, i) => this.of.report(node, [2 ** 29 + i, 2 ** 28]))
    this.of.advance({ holds: () => reports, ...step })
  }

  async epoch(height: number) {
    const final = this.of.finals[height - 1]
    return final && { block: final.bytes, certificate: certificateCodec.encode(final.certificate) }
  }

  async set(cid: Uint8Array) {
    return this.#sets.get(cid.join())
  }

  async state(height: number) {
    return this.#states[height - 1]
  }
}

export function genesisOf({ nodes }: TestMesh) {
  const founders = nodes.map(({ peerId, name, cell }) => ({ peerId, name, cell, role: 'full' as const }))
  return createGenesis(founders, { name: 'test', created: CREATED })
}
