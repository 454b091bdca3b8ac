import { encode } from '@ipld/dag-cbor'
import { expect } from 'chai'
import { CID } from 'multiformats/cid'
import {
  blocks,
  del,
  EMPTY,
  EMPTY_ROOT,
  entries,
  fromSorted,
  get,
  load,
  root,
  set,
  size,
  type Tree,
} from '../../../consensus/state/index.ts'
import { cidOf, layerOf } from '../../../consensus/state/tree-node.ts'

const value = (text: string) => new TextEncoder().encode(text)
const keys = Array.from({ length: 2000 }, (_, at) => `key/${String(at).padStart(6, '0')}`)
const large = fromSorted(keys.map((key) => [key, value(key)] as const))

function stored(tree: Tree): Map<string, Uint8Array> {
  return new Map([...blocks(tree)].map(({ cid, bytes }) => [cid.toString(), bytes]))
}

const from = (store: Map<string, Uint8Array>) => async (cid: CID) => store.get(cid.toString()) ?? new Uint8Array()

/** @returns the code with which a hostile top block is refused; children come from the large tree */
async function refusalOf(bytes: Uint8Array, extra: Uint8Array[] = []): Promise<unknown> {
  const store = stored(large)
  for (const block of [bytes, ...extra]) store.set(cidOf(block).toString(), block)
  return load(cidOf(bytes), from(store)).then(
    () => 'taken',
    (error: { code: string }) => error.code,
  )
}

const ofLayer = (layer: number) => keys.filter((key) => layerOf(key) === layer)

describe('state tree', () => {
  it('has a root that stays the same from release to release', () => {
    const tree = set(set(EMPTY, 'name/a', value('1')), 'name/b', value('2'))
    expect(root(tree).toString()).to.equal('bafyreigllrxf2zgzzkxfyzjpjoztwgwrkwxho4puvlnrdhdyynrjuqpui4')
    expect(root(large).toString()).to.equal('bafyreiggy466epyjmcbtnvy6rbzlycvfbhlmtx6wtgs42i7cwj2xdjj6wm')
    expect(root(EMPTY).toString()).to.equal('bafyreibwafdxqiegrwyqhnggdclhqfrvennphjk3u4su2hojopgwdef4wm')
  })

  it('built in one pass is the tree that single writes give', () => {
    let tree: Tree = EMPTY
    for (const key of [...keys].reverse()) tree = set(tree, key, value(key))
    expect(root(tree).equals(root(large))).to.equal(true)
    expect(size(tree)).to.equal(keys.length)
  })

  it('is never changed by an edit of a tree made from it', () => {
    const before = root(large).toString()
    const changed = set(del(large, keys[7]!), keys[8]!, value('new'))
    expect([...entries(large)].map(([key]) => key)).to.deep.equal(keys)
    expect(get(changed, keys[7]!)).to.equal(undefined)
    expect(get(changed, keys[8]!)).to.deep.equal(value('new'))
    expect(root(large).toString()).to.equal(before)
  })

  it('gives its entries in order, by prefix, and page by page', () => {
    expect([...entries(large, { prefix: 'key/0012' })].map(([key]) => key)).to.deep.equal(keys.slice(1200, 1300))
    const pages = []
    for (let after = ''; ;) {
      const page = [...entries(large, { prefix: 'key/', from: `${after}\0` }).take(300)].map(([key]) => key)
      if (page.length === 0) break
      pages.push(...page)
      after = page.at(-1)!
    }
    expect(pages).to.deep.equal(keys)
    expect([...entries(large, { from: 'key/001990' })]).to.have.length(10)
    expect([...entries(large, { prefix: 'nothing' })]).to.deep.equal([])
  })

  it('refuses keys and values out of their bounds, and entries out of order', () => {
    for (const key of ['', 'with space', 'ü', 'k'.repeat(641)])
      expect(() => set(EMPTY, key, value('')))
        .to.throw()
        .with.property('code', 'E_TREE_ENTRY')
    expect(() => set(EMPTY, 'k', new Uint8Array(4097)))
      .to.throw()
      .with.property('code', 'E_TREE_ENTRY')
    for (const second of ['a', 'b'])
      expect(() =>
        fromSorted([
          ['b', value('')],
          [second, value('')],
        ]),
      )
        .to.throw()
        .with.property('code', 'E_TREE_ENTRY')
  })

  it('deletes what is not there without becoming another tree', () => {
    expect(del(large, 'key/none')).to.equal(large)
    expect(del(EMPTY, 'key')).to.equal(EMPTY)
  })
})

describe('state tree as blocks', () => {
  it('comes back from its blocks, which lie children before parents', async () => {
    const known = new Set<string>()
    for (const { cid, bytes } of blocks(large)) {
      expect(cid.equals(cidOf(bytes))).to.equal(true)
      known.add(cid.toString())
    }
    expect([...known].at(-1)).to.equal(root(large).toString())
    const again = await load(root(large), from(stored(large)))
    expect([...entries(again)]).to.deep.equal([...entries(large)])
    expect(size(again)).to.equal(size(large))
    expect(size(await load(EMPTY_ROOT, from(stored(EMPTY))))).to.equal(0)
  })

  it('refuses a block whose bytes are not those of its CID', async () => {
    const store = stored(large)
    for (const [cid, bytes] of store) {
      const damaged = bytes.with(bytes.length - 1, bytes.at(-1)! ^ 1)
      const error = await load(root(large), from(new Map([...store, [cid, damaged]]))).catch((error: unknown) => error)
      expect(error).to.have.property('code', 'E_TREE_BLOCK')
    }
  })

  it('refuses keys that are swapped, double, of another layer or not allowed', async () => {
    const [a, b] = ofLayer(0)
    const [high] = ofLayer(1)
    const node = (layer: number, ...keys: string[]) =>
      encode([layer, keys, keys.map(value), layer === 0 ? [] : [null, null]])
    expect(await refusalOf(node(0, a!, b!))).to.equal('taken')
    expect(await refusalOf(node(0, b!, a!))).to.equal('E_TREE_BLOCK')
    expect(await refusalOf(node(0, a!, a!))).to.equal('E_TREE_BLOCK')
    expect(await refusalOf(node(0, high!))).to.equal('E_TREE_BLOCK')
    expect(await refusalOf(node(1, a!))).to.equal('E_TREE_BLOCK')
    expect(await refusalOf(node(0, 'a b'))).to.equal('E_TREE_BLOCK')
    expect(await refusalOf(encode([1, [], [], [null]]))).to.equal('E_TREE_BLOCK')
  })

  it('refuses a child out of the range or the layer that its parent leaves it', async () => {
    const [, , , , , high, next] = ofLayer(1)
    const child = (key: string) => encode([0, [key], [value('')], []])
    const parent = (left: Uint8Array) => encode([1, [high], [value('')], [cidOf(left), null]])
    const low = ofLayer(0).find((key) => key < high!)!
    const far = ofLayer(0).find((key) => key > high!)!
    expect(await refusalOf(parent(child(low)), [child(low)])).to.equal('taken')
    expect(await refusalOf(parent(child(far)), [child(far)])).to.equal('E_TREE_BLOCK')
    const same = encode([1, [next], [value('')], [null, null]])
    expect(await refusalOf(encode([1, [high], [value('')], [null, cidOf(same)]]), [same])).to.equal('E_TREE_BLOCK')
  })

  it('refuses blocks of another shape, with other links, or in another encoding of the same node', async () => {
    const [a] = ofLayer(0)
    const foreign = CID.createV1(0x55, root(large).multihash)
    const shapes = [
      [0, [a], [], []],
      [0, [a], [value('')], [null, null]],
      [1, [ofLayer(1)[0]], [value('')], [null]],
      [1, [ofLayer(1)[0]], [value('')], [foreign, null]],
      [0, [a], [new Uint8Array(4097)], []],
      { layer: 0 },
      'text',
    ]
    for (const shape of shapes) expect(await refusalOf(encode(shape))).to.equal('E_TREE_BLOCK')
    const plain = encode([0, [a], [value('')], []])
    const longer = Uint8Array.from([0x84, 0xfb, 0, 0, 0, 0, 0, 0, 0, 0, ...plain.subarray(2)])
    expect(await refusalOf(plain)).to.equal('taken')
    expect(await refusalOf(longer)).to.equal('E_TREE_BLOCK')
  })
})
