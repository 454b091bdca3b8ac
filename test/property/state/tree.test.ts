import { expect } from 'chai'
import * as fc from 'fast-check'
import {
  blocks,
  del,
  EMPTY,
  entries,
  fromSorted,
  get,
  load,
  root,
  set,
  size,
  type Tree,
} from '../../../consensus/state/index.ts'

// Few keys, so that deletes hit; a prefix walk over a hash-like alphabet, so that all layers occur.
const key = fc.nat(400).map((at) => `k/${at * 7919}`)
const value = fc.uint8Array({ maxLength: 40 })
const edit = fc.record({ key, value: fc.option(value, { freq: 2 }) })
const edits = fc.array(edit, { maxLength: 600, size: 'max' })

type Edit = { key: string; value: Uint8Array | null }

const apply = (tree: Tree, { key, value }: Edit) => (value === null ? del(tree, key) : set(tree, key, value))
const byKey = ([a]: readonly [string, unknown], [b]: readonly [string, unknown]) => (a < b ? -1 : 1)

function modelOf(edits: readonly Edit[]): [string, Uint8Array][] {
  const model = new Map<string, Uint8Array>()
  for (const { key, value } of edits) {
    if (value === null) model.delete(key)
    else model.set(key, value)
  }
  return [...model].sort(byKey)
}

describe('state tree under random edits', function () {
  this.timeout(120_000)

  it('holds what a map holds, in order', () => {
    fc.assert(
      fc.property(edits, key, (edits, start) => {
        const tree = edits.reduce(apply, EMPTY)
        const model = modelOf(edits)
        expect([...entries(tree)]).to.deep.equal(model)
        expect([...entries(tree, { from: start })]).to.deep.equal(model.filter(([key]) => key >= start))
        expect([...entries(tree, { prefix: start })]).to.deep.equal(model.filter(([key]) => key.startsWith(start)))
        expect(size(tree)).to.equal(model.length)
        expect(get(tree, start)).to.deep.equal(model.find(([key]) => key === start)?.[1])
      }),
      { numRuns: 200 },
    )
  })

  it('has the root of its content, whatever led there', () => {
    fc.assert(
      fc.property(edits, fc.infiniteStream(fc.nat()), (edits, numbers) => {
        const model = modelOf(edits)
        const shuffled = model.map((entry) => [numbers.next().value as number, entry] as const)
        shuffled.sort(([a], [b]) => a - b)
        const other = shuffled.reduce((tree, [, [key, value]]) => set(tree, key, value), EMPTY)
        const expected = root(fromSorted(model)).toString()
        expect(root(edits.reduce(apply, EMPTY)).toString()).to.equal(expected)
        expect(root(other).toString()).to.equal(expected)
      }),
      { numRuns: 200 },
    )
  })

  it('comes back whole from its blocks, and goes on from there as before', async () => {
    await fc.assert(
      fc.asyncProperty(edits, edits, async (first, second) => {
        const tree = first.reduce(apply, EMPTY)
        const store = new Map([...blocks(tree)].map(({ cid, bytes }) => [cid.toString(), bytes]))
        const again = await load(root(tree), async (cid) => store.get(cid.toString())!)
        expect([...entries(again)]).to.deep.equal([...entries(tree)])
        expect(root(second.reduce(apply, again)).equals(root(second.reduce(apply, tree)))).to.equal(true)
      }),
      { numRuns: 100 },
    )
  })

  it('makes new blocks only on the way to what has changed', () => {
    const base = fromSorted(
      Array.from({ length: 20_000 }, (_, at) => [`n/${at + 100_000}`, new Uint8Array(8)] as const),
    )
    const known = new Set([...blocks(base)].map(({ cid }) => cid.toString()))
    const place = fc.nat(19_999).map((at) => `n/${at + 100_000}`)
    fc.assert(
      fc.property(fc.array(fc.record({ key: place, value: fc.option(value) }), { maxLength: 5 }), (edits) => {
        const fresh = [...blocks(edits.reduce(apply, base), (cid) => known.has(cid.toString()))]
        // A path, and where a key of a high layer goes, the seam below it.
        expect(fresh.length).to.be.at.most(edits.length * 10)
      }),
      { numRuns: 300 },
    )
  })
})
