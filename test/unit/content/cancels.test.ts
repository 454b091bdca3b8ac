import { expect } from 'chai'
import { CID } from 'multiformats/cid'
import { cancelMessage } from '../../../node/content/cancels.ts'

describe('cancelMessage', () => {
  it('is a bitswap 1.2.0 wantlist of cancels, written out here by hand', () => {
    const cid = CID.parse('bafkreifzjut3te2nhyekklss27nh3k72ysco7y32koao5eei66wof36n5e')
    const entry = [0x0a, 36, ...cid.bytes, 0x10, 1, 0x18, 1]
    const wantlist = [0x0a, entry.length, ...entry, 0x0a, entry.length, ...entry]
    const message = [0x0a, wantlist.length, ...wantlist]
    expect([...cancelMessage([cid, cid])]).to.deep.equal([message.length, ...message])
  })
})
