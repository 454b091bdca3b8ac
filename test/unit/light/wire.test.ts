import * as dagCbor from '@ipld/dag-cbor'
import { assert } from 'chai'
import * as fc from 'fast-check'
import { CID } from 'multiformats/cid'
import { certificateCodec } from '../../../consensus/epoch/certificate-codec.ts'
import { cidOf } from '../../../consensus/epoch/cid.ts'
import { headerCodec } from '../../../consensus/epoch/header-codec.ts'
import { cidOfSet, validatorsCodec } from '../../../consensus/epoch/set-codec.ts'
import { decode, encode, Link, type Data } from '../../../consensus/light/cbor.ts'
import { readGenesis } from '../../../consensus/light/genesis.ts'
import { cidText, keyOfPeerId, parseCheckpoint, parseCid } from '../../../consensus/light/text.ts'
import { encodeCertificate, encodeSet, readCertificate, readHeader, readSet } from '../../../consensus/light/wire.ts'
import { genesisCodec } from '../../../protocols/admission/codec.ts'
import { meshIdOf, strictKeyFrom } from '../../../protocols/admission/index.ts'
import { assertRefused } from '../../helpers/refused.ts'
import { CREATED, LightChain, lightGenesis, setOf, testKey } from '../../helpers/light-chain.ts'

describe('what the light verifier reads is what the record writes', () => {
  const chain = new LightChain(() => [0, 1, 2, 3], 2)
  const { header, certificate } = chain.epochs[1]!

  it('headers, validator sets and certificates', () => {
    assert.deepEqual(readHeader(headerCodec.encode(header)), header)
    const set = setOf(0, 1, 2, 3)
    assert.deepEqual(readSet(validatorsCodec.encode(set)), { cid: cidOfSet(set), validators: set })
    assert.deepEqual(encodeSet(set), validatorsCodec.encode(set))
    assert.deepEqual(readCertificate(certificateCodec.encode(certificate)), certificate)
  })

  it('writes a certificate without the extensions of its validators', () => {
    const extension = { bytes: Uint8Array.of(1), signature: new Uint8Array(64) }
    const extended = certificate.signatures.map((each) => ({ ...each, extension }))
    const bytes = encodeCertificate({ ...certificate, signatures: extended })
    assert.deepEqual(certificateCodec.decode(bytes), certificate)
  })

  it('the founders of a genesis and its mesh id', () => {
    const bytes = lightGenesis(3, 1, 2)
    const { name, created, operators } = readGenesis(bytes)
    assert.deepEqual({ name, created }, { name: 'lights', created: CREATED })
    assert.deepEqual(
      operators.map(({ cell, weight, members }) => ({ cell, weight, members })),
      [1, 2, 3].map((number) => ({ cell: `cell-${number}`, weight: 1, members: [testKey(number).key] })),
    )
    assert.equal(cidText(cidOf(bytes)), meshIdOf(genesisCodec.decode(bytes)))
  })

  it('refuses what is not a header, a set or a certificate, each for its reason', () => {
    for (const read of [readHeader, readSet, readCertificate, readGenesis]) {
      assertRefused(() => read(Uint8Array.of()), 'E_LIGHT_FILE', /not canonical dag-cbor/)
      assertRefused(() => read(encode(new Map([['a', 1]]))), 'E_LIGHT_FILE')
      assertRefused(() => read(new Uint8Array(40_000)), 'E_LIGHT_FILE', /the limit is/)
    }
    const later = encode(new Map([...(decode(headerCodec.encode(header), 100) as Map<string, Data>), ['v', 2]]))
    assertRefused(() => readHeader(later), 'E_LIGHT_FILE', /later version/)
    assertRefused(() => readSet(encodeSet(setOf(0, 1).toReversed())), 'E_LIGHT_FILE', /order of their keys/)
  })
})

describe('CIDs, checkpoints and peer ids as text', () => {
  it('are those of other programs', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
        const cid = cidOf(bytes)
        assert.equal(cidText(cid), CID.decode(cid).toString())
        assert.deepEqual(parseCid(cidText(cid)), cid)
      }),
    )
  })

  it('have one spelling', () => {
    const cid = cidText(cidOf(Uint8Array.of(1)))
    for (const text of [
      cid.toUpperCase(),
      `${cid}a`,
      cid.slice(0, -1),
      `z${cid.slice(1)}`,
      `${cid.slice(0, -1)}1`,
      '',
    ]) {
      assert.isUndefined(parseCid(text), text)
      assertRefused(() => parseCheckpoint(`7:${text}`), 'E_LIGHT_CHECKPOINT_TEXT')
    }
    assert.deepEqual(parseCheckpoint(`7:${cid}`), { height: 7, cid: cidOf(Uint8Array.of(1)) })
    for (const text of [cid, `0:${cid}`, `07:${cid}`, `-1:${cid}`, `7 :${cid}`, `9999999999999999:${cid}`]) {
      assertRefused(() => parseCheckpoint(text), 'E_LIGHT_CHECKPOINT_TEXT')
    }
  })

  it('gives the key of a peer id, and of nothing else', () => {
    const { operators } = genesisCodec.decode(lightGenesis(0, 1, 2, 3))
    const ids = operators.flatMap(({ founders }) => founders.map(({ peerId }) => peerId))
    assert.lengthOf(ids, 4)
    for (const id of ids) {
      assert.deepEqual(keyOfPeerId(id), strictKeyFrom(id))
      for (const other of [`1${id}`, id.slice(1), `${id}1`, id.replace('K', '0'), `Q${id}`, '', '1', '1'.repeat(52)]) {
        assert.isUndefined(keyOfPeerId(other), other)
      }
    }
  })
})

describe('the small dag-cbor of the light verifier', () => {
  const data = fc.letrec<{ data: unknown }>((tie) => ({
    data: fc.oneof(
      { maxDepth: 4 },
      fc.constant(null),
      fc.boolean(),
      fc.maxSafeInteger(),
      fc.double({ noNaN: true, noDefaultInfinity: true }).filter((value) => !Object.is(value, -0)),
      fc.string({ unit: 'grapheme' }),
      fc.uint8Array(),
      fc.uint8Array().map((bytes) => CID.decode(cidOf(bytes))),
      fc.array(tie('data'), { maxLength: 5 }),
      fc.dictionary(fc.string(), tie('data'), { maxKeys: 5, noNullPrototype: true }),
    ),
  })).data

  it('writes and reads as the library does', () => {
    fc.assert(
      fc.property(data, (value) => {
        const bytes = dagCbor.encode(value)
        const read = decode(bytes, 10_000)
        assert.deepEqual(encode(read), bytes)
        assert.deepEqual(asLibrary(read), dagCbor.decode(bytes))
      }),
      { numRuns: 500 },
    )
  })

  it('says of bytes that are cut anywhere that they end too early', () => {
    const bytes = dagCbor.encode({ a: 1, b: [-70_000, 1.5, true], c: 'text', d: new Uint8Array(300), e: 2 ** 40 })
    for (let length = 0; length < bytes.length; length++) {
      assert.throws(() => decode(bytes.subarray(0, length), 100), /end too early|too many values/)
    }
    assert.throws(() => decode(new Uint8Array(), 100), /end too early/)
  })

  it('takes no bytes that would be written otherwise, or throws', () => {
    fc.assert(
      fc.property(data, fc.nat(), fc.integer({ min: 1, max: 255 }), (value, at, flip) => {
        const bytes = dagCbor.encode(value).slice()
        bytes[at % bytes.length]! ^= flip
        const read = decoded(bytes)
        if (read !== undefined) assert.deepEqual(encode(read), bytes)
      }),
      { numRuns: 2000 },
    )
  })

  it('refuses longer forms, indefinite lengths, other tags, floats of two lengths, and keys out of order', () => {
    const refused = [
      '1801',
      '190001',
      '1b0000000000000001',
      '9fff',
      '5f4101ff',
      'f7',
      'f93c00',
      'fa3f800000',
      'ff',
      '1c',
    ]
    const maps = ['a2616201616101', 'a2616101616102', 'a2626161016162', 'a10101', 'bf616101ff']
    const numbers = [
      'fb3ff0000000000000',
      'fb7ff0000000000000',
      'fb7ff8000000000000',
      '1b0020000000000000',
      '3b001fffffffffffff',
    ]
    const others = [
      'd82a4101',
      'd82a01',
      'd82b420001',
      'c11a00000000',
      '61ff',
      '5a00ffffff',
      '9a00ffffff',
      '82',
      '',
      '0000',
    ]
    for (const hex of [...refused, ...maps, ...numbers, ...others]) {
      assert.throws(() => decode(new Uint8Array(Buffer.from(hex, 'hex')), 100), undefined, undefined, hex)
    }
  })

  it('builds no more values, and none deeper, than it may', () => {
    const many = encode(Array.from({ length: 1000 }, () => null))
    assert.throws(() => decode(many, 1000), /too many values/)
    assert.lengthOf(decode(many, 1001) as unknown[], 1000)
    assert.throws(() => decode(new Uint8Array(100_000).fill(0x81), 1_000_000), /nested too deep/)
    assert.throws(() => decode(Uint8Array.of(0x9b, 0, 0, 0, 255, 0, 0, 0, 0), 2 ** 50), /too many values/)
  })
})

function decoded(bytes: Uint8Array): Data | undefined {
  try {
    return decode(bytes, 10_000)
  } catch {
    return undefined
  }
}

function asLibrary(value: Data): unknown {
  if (value instanceof Link) return CID.decode(value.bytes)
  if (Array.isArray(value)) return value.map(asLibrary)
  if (!(value instanceof Map)) return value
  return Object.fromEntries([...(value as ReadonlyMap<string, Data>)].map(([key, each]) => [key, asLibrary(each)]))
}
