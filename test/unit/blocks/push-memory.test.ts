import { queryObjects } from 'node:v8'
import type { Stream } from '@libp2p/interface'
import { expect } from 'chai'
import type { Request } from '../../../protocols/blocks/codec.ts'
import { servePush } from '../../../protocols/blocks/serve-push.ts'
import { randomBlocks } from '../../helpers/block-peers.ts'

const PUSHED = 2000

/** Found on the heap by its constructor. */
class Pushed {
  readonly type = 'push' as const
  readonly blocks: Extract<Request, { type: 'push' }>['blocks']

  constructor(cid: Uint8Array, bytes: Uint8Array) {
    this.blocks = [{ cid, bytes }]
  }
}

describe('a push of blocks, while it is served', () => {
  it('keeps nothing of what is stored: a member pushes as much as it likes', async () => {
    const [block] = await randomBlocks(1, 100)
    let [kept, given] = [Infinity, 0]
    const next = async (): Promise<Request | undefined> => {
      await new Promise((resolve) => setImmediate(resolve))
      if (given++ < PUSHED) return new Pushed(block!.cid.bytes, block!.bytes)
      kept = queryObjects(Pushed) as number
      return undefined
    }
    const stream = { send: () => true } as unknown as Stream
    const sink = { matches: async () => true, put: async () => undefined }
    const served = { stream, peer: 'member', next, signal: new AbortController().signal }
    await servePush(served, { sink, lease: { add: () => undefined, release: () => undefined } })
    expect(kept).to.be.below(50)
  })
})
