import { expect } from 'chai'
import { CID } from 'multiformats/cid'
import { identity } from 'multiformats/hashes/identity'
import { MAX_BLOCK_BYTES, MAX_READ_AHEAD_BLOCKS, MIN_READ_AHEAD_BLOCKS } from '../../../node/content/constants.ts'
import { traverse, type Visitor } from '../../../node/content/dag.ts'
import { collectAll } from '../../helpers/content-node.ts'

const { signal } = new AbortController()

/** A DAG written as text: "a(b(d)c)" names each block by a letter, with its children in brackets. */
const childrenOf: Record<string, string[]> = { a: ['b', 'c', 'f'], b: ['d', 'e'], c: [], d: [], e: [], f: ['g'], g: [] }

function cidOf(name: string): CID {
  return CID.createV1(0x55, identity.digest(new TextEncoder().encode(name)))
}

const visit: Visitor<string, string> = (_bytes, { context }) => ({
  output: [context],
  children: (childrenOf[context] ?? []).map((name) => ({ cid: cidOf(name), context: name })),
})

/** A flat DAG: one root with `count` children. */
const flat = (count: number): Visitor<number, number> => {
  const children = Array.from({ length: count }, (_, i) => ({ cid: cidOf(`leaf ${i}`), context: i + 1 }))
  return (_bytes, { context }) => ({ output: [context], children: context === 0 ? children : [] })
}

describe('traverse', () => {
  it('visits parents before children, depth first, in order, whatever comes first', async () => {
    const get = (): Promise<Uint8Array> =>
      new Promise((resolve) => setTimeout(() => resolve(new Uint8Array()), Math.random() * 5))
    const seen = await collectAll(traverse({ cid: cidOf('a'), context: 'a' }, { get, visit, signal }))
    expect(seen.join('')).to.equal('abdecfg')
  })

  const readAhead = async (size: number, limit: number): Promise<number[]> => {
    const bytes = new Uint8Array(size)
    let wanted = 0
    const get = async (): Promise<Uint8Array> => {
      wanted++
      return bytes
    }
    let read = 0
    for await (const _ of traverse({ cid: cidOf('root'), context: 0 }, { get, visit: flat(600), signal })) {
      read++
      expect(wanted - read).to.be.at.most(limit)
      if (read === 60) expect(wanted - read).to.be.greaterThan(limit / 2)
    }
    return [read, wanted]
  }

  it('reads a few large blocks ahead, but never more than its limit', async () => {
    expect(await readAhead(MAX_BLOCK_BYTES, MIN_READ_AHEAD_BLOCKS)).to.deep.equal([601, 601])
  })

  it('reads many small blocks ahead, but never more than its limit', async () => {
    expect(await readAhead(100, MAX_READ_AHEAD_BLOCKS)).to.deep.equal([601, 601])
  })

  it('cancels what it asked for when its reader leaves', async () => {
    const cancelled: number[] = []
    let wanted = 0
    const get = (_cid: CID, signal: AbortSignal): Promise<Uint8Array> => {
      const number = wanted++
      if (number < 2) return Promise.resolve(new Uint8Array())
      return new Promise((_, reject) => {
        signal.addEventListener('abort', () => {
          cancelled.push(number)
          reject(signal.reason)
        })
      })
    }
    for await (const number of traverse({ cid: cidOf('root'), context: 0 }, { get, visit: flat(50), signal })) {
      if (number === 1) break
    }
    expect(cancelled)
      .to.have.length(wanted - 2)
      .and.to.have.length.greaterThan(5)
  })

  it('ends with the error of a block', async () => {
    const get = async (cid: CID): Promise<Uint8Array> => {
      if (cid.equals(cidOf('e'))) throw new Error('lost')
      return new Uint8Array()
    }
    const failure = await collectAll(traverse({ cid: cidOf('a'), context: 'a' }, { get, visit, signal })).catch(
      (error: unknown) => error,
    )
    expect(failure).to.have.property('message', 'lost')
  })
})
