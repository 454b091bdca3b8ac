import { expect } from 'chai'
import { CID } from 'multiformats/cid'
import { pinCidOf, pinCidOfText } from '../../../node/pins/pin-cid.ts'

const V0 = 'QmdfTbBqBPQ7VNxZEYEj14VmRuZBkqFbiwReogJgS1zR1n'
const V1 = 'bafybeihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku'

describe('pins: the CID of a pin', () => {
  it('is one for a content, however it is spelled', () => {
    expect([pinCidOf(CID.parse(V0)), pinCidOf(CID.parse(V1)), pinCidOfText(V0)]).to.deep.equal([V1, V1, V1])
  })

  it('what is no CID is left for the cell to refuse', () => {
    expect(pinCidOfText('nonsense')).to.equal('nonsense')
  })
})
