import { expect } from 'chai'
import * as dagCbor from '@ipld/dag-cbor'
import * as dagPb from '@ipld/dag-pb'
import { CID } from 'multiformats/cid'
import * as raw from 'multiformats/codecs/raw'
import * as Digest from 'multiformats/hashes/digest'
import { linksOf, statedBytes } from '../../../node/content/pins/links.ts'
import { codeOf } from '../../../protocols/shared/errors.ts'
import { block, rawBlock } from '../../helpers/pin-fixtures.ts'

const [a, b] = [rawBlock('a').cid, rawBlock('b').cid]
const texts = (cids: CID[]) => cids.map(String)
const inline = (codec: number, bytes: Uint8Array) => CID.createV1(codec, Digest.create(0, bytes))
const linked = (code: number, bytes: Uint8Array) => linksOf(block(bytes, code).cid, bytes)

function refusal(task: () => unknown): string {
  try {
    task()
    return 'none'
  } catch (error) {
    return codeOf(error)
  }
}

describe('the links of a block', () => {
  it('are found in dag-pb, dag-cbor and dag-json, each once, in order', () => {
    const links = [a, b, a].map((Hash) => ({ Hash, Name: '', Tsize: 1 }))
    expect(texts(linked(dagPb.code, dagPb.encode({ Links: links })))).to.deep.equal(texts([a, b]))
    const value = { one: { deep: [a] }, two: [b, a], bytes: Uint8Array.of(1), none: null }
    expect(texts(linked(dagCbor.code, dagCbor.encode(value)))).to.deep.equal(texts([a, b]))
    const json = {
      one: [{ '/': a.toString() }],
      two: { '/': b.toString() },
      bytes: { '/': { bytes: 'AA' } },
      none: null,
    }
    expect(texts(linked(0x0129, Buffer.from(JSON.stringify(json))))).to.deep.equal(texts([a, b]))
  })

  it('are none in raw, cbor and json', () => {
    for (const code of [raw.code, 0x51, 0x0200]) expect(linked(code, Uint8Array.of(255))).to.deep.equal([])
  })

  it('of a block that is inline in a link are its own', () => {
    const inner = inline(dagCbor.code, dagCbor.encode([b, inline(raw.code, Uint8Array.of(1))]))
    expect(texts(linked(dagCbor.code, dagCbor.encode([a, inner])))).to.deep.equal(texts([a, b]))
  })

  it('are refused when they cannot be read, are too many, or no row can hold them', () => {
    expect(refusal(() => linked(dagPb.code, Uint8Array.of(255)))).to.equal('E_CONTENT_MALFORMED')
    expect(refusal(() => linked(0x0129, Buffer.from('{"/": 1')))).to.equal('E_CONTENT_MALFORMED')
    expect(refusal(() => linked(0x0129, Buffer.from('{"/": "no cid"}')))).to.equal('E_CONTENT_MALFORMED')
    const deep = Buffer.concat([Buffer.alloc(100_000, 0x81), Uint8Array.of(0x80)])
    expect(refusal(() => linked(dagCbor.code, deep))).to.equal('E_CONTENT_MALFORMED')
    expect(refusal(() => linked(0x300001, Uint8Array.of()))).to.equal('E_CODEC_UNSUPPORTED')
    expect(refusal(() => linked(dagCbor.code, dagCbor.encode([CID.createV1(0x300001, a.multihash)])))).to.equal(
      'E_CODEC_UNSUPPORTED',
    )
    const long = CID.createV1(raw.code, Digest.create(0x12, new Uint8Array(129)))
    expect(refusal(() => linked(dagCbor.code, dagCbor.encode([long])))).to.equal('E_HASH_UNSUPPORTED')
    const tiny = inline(raw.code, new Uint8Array())
    const wide = dagCbor.encode(Array.from({ length: 65_537 }, () => tiny))
    expect(refusal(() => linked(dagCbor.code, wide))).to.equal('E_DAG_TOO_LARGE')
  })

  it('state the bytes below a root, when all of them do', () => {
    const encode = (sizes: (number | undefined)[]) =>
      dagPb.encode({ Links: sizes.map((Tsize) => ({ Hash: a, Name: '', ...(Tsize === undefined ? {} : { Tsize }) })) })
    const whole = encode([1, 2])
    expect(statedBytes(block(whole, dagPb.code).cid, whole)).to.equal(whole.byteLength + 3)
    const part = encode([1, undefined])
    expect(statedBytes(block(part, dagPb.code).cid, part)).to.equal(null)
    expect(statedBytes(block(dagCbor.encode(1), dagCbor.code).cid, dagCbor.encode(1))).to.equal(null)
    expect(statedBytes(a, Uint8Array.of(1))).to.equal(1)
  })
})
