import { expect } from 'chai'
import type { PinCell } from '../../../node/pins/ports.ts'
import { AgreedPins } from '../../../node/pins/agreed.ts'
import type { PinImportLine } from '../../../node/operations-pins.ts'
import { CodedError, codeOf } from '../../../protocols/shared/errors.ts'
import { collect } from '../../helpers/collect.ts'
import { unhandledIn } from '../../helpers/unhandled.ts'
import { peer } from '../state/cell.ts'
import { cellOf, cidOf } from '../state/pins.ts'

const { signal } = new AbortController()

function agreedOf(submit: PinCell['submit']): AgreedPins {
  const replica = cellOf('A')
  const cell: PinCell = {
    tree: replica.tree,
    applied: 0,
    isLeader: true,
    read: async () => undefined,
    submit,
    subscribe: () => () => undefined,
  }
  const mesh = { self: peer('A'), peerIdOf: (name: string) => name, nameOf: (peerId: string) => peerId }
  return new AgreedPins({ cell, mesh, content: {}, catalog: {} } as unknown as ConstructorParameters<
    typeof AgreedPins
  >[0])
}

async function* linesOf(count: number): AsyncGenerator<PinImportLine> {
  for (let line = 1; line <= count; line++) yield { type: 'pin', line, pin: { cid: cidOf(line) } }
}

describe('pins: what is agreed', () => {
  it('an import whose cell loses its quorum ends with that, once, and all of its commands have ended then', async () => {
    let [asked, ended] = [0, 0]
    const pins = agreedOf(async () => {
      asked += 1
      await new Promise(setImmediate)
      ended += 1
      throw new CodedError('E_NO_QUORUM', 'no quorum')
    })
    const unhandled = await unhandledIn(async () => {
      expect(await collect(pins.import(linesOf(1000), {}, signal)).then(() => 'none', codeOf)).to.equal('E_NO_QUORUM')
    })
    expect(unhandled).to.deep.equal([])
    expect([asked > 1, ended]).to.deep.equal([true, asked])
  })
})
