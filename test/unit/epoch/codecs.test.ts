import * as dagCbor from '@ipld/dag-cbor'
import { expect } from 'chai'
import { CID } from 'multiformats/cid'
import { encodeLists, partsCodec } from '../../../consensus/epoch/block-codec.ts'
import {
  blockCodec,
  certificateCodec,
  cidOfState,
  extensionCodec,
  finalPartsCodec,
  headerOf,
  LISTS,
  MAX_STATE_BYTES,
  stateCodec,
  validatorsCodec,
  valueOf,
  type MeshState,
} from '../../../consensus/epoch/index.ts'
import {
  MAX_BLOCK_BYTES,
  MAX_MOTIONS,
  MAX_OPERATORS,
  MAX_OUT,
  MAX_REPORT_BYTES,
  MAX_REPORTS,
  MAX_REVOKED,
  MAX_SUNDRY_BYTES,
} from '../../../consensus/epoch/limits.ts'
import { maxNames } from '../../../consensus/epoch/certificate.ts'
import { codeOf } from '../../../protocols/shared/errors.ts'
import { epochSamples } from './samples.ts'

const CODES = ['E_FRAME_TOO_LARGE', 'E_FRAME_MALFORMED', 'E_FRAME_SCHEMA']

describe('epoch: codecs', () => {
  const all = epochSamples()

  for (const [name, { codec, value }] of Object.entries(all)) {
    it(`${name}: comes back as it went`, () => {
      const bytes = codec.encode(value as never)
      expect(codec.decode(bytes)).to.deep.equal(value)
      expect(bytes.byteLength).to.be.at.most(codec.maxBytes)
    })

    it(`${name}: no other bytes mean the same, and all that is none is refused with a code`, () => {
      const bytes = codec.encode(value as never)
      const tries = [
        bytes.subarray(0, -1),
        Uint8Array.of(...bytes, 0),
        new Uint8Array(),
        new Uint8Array(codec.maxBytes + 1),
      ]
      // Each byte of short ones, a few hundred of long ones.
      const step = Math.ceil(bytes.length / 400)
      for (let at = 0; at < bytes.length; at += step) {
        for (const flip of [0x01, 0x20, 0x80, 0xff]) {
          const other = bytes.slice()
          other[at]! ^= flip
          tries.push(other)
        }
      }
      for (const each of tries) {
        try {
          expect(codec.encode(codec.decode(each))).to.deep.equal(each)
        } catch (error) {
          expect(CODES).to.include(codeOf(error))
        }
      }
    })
  }

  it('refuse a number in a longer form, and one that is a float', () => {
    const longer = Uint8Array.of(0x82, 0x18, 0x05, 0x40)
    expect(() => extensionCodec.decode(longer)).to.throw('not canonical')
    const float = Uint8Array.of(0x82, 0xfb, 0x40, 0x14, 0, 0, 0, 0, 0, 0, 0x40)
    expect(() => extensionCodec.decode(float)).to.throw('not canonical')
    expect(extensionCodec.decode(Uint8Array.of(0x82, 0x05, 0x40))).to.deep.equal({ time: 5, reports: [] })
  })

  it('refuse lists out of order or with a repetition', () => {
    const { value: set } = all['set']! as { value: MeshState['validators'] }
    expect(() => validatorsCodec.decode(validatorsCodec.encode(set.toReversed()))).to.throw('not in order')
    expect(() => validatorsCodec.decode(validatorsCodec.encode([set[0]!, set[0]!]))).to.throw('not in order')
    const named = (...reporters: number[]): Uint8Array =>
      extensionCodec.encode({ time: 1, reports: reporters.map((each, at) => [each, new Uint8Array(32).fill(at)]) })
    expect(extensionCodec.decode(named(1, 1, 2)).reports).to.have.length(3)
    expect(() => extensionCodec.decode(named(2, 1))).to.throw('not in order')
    expect(() => extensionCodec.decode(named(1, 1, 1))).to.throw('thrice')
  })

  it('bound a state with all its lists full', () => {
    const { value } = all['state']! as { value: MeshState }
    const key = (at: number): Uint8Array =>
      new Uint8Array(32)
        .fill(255)
        .fill(at & 255, 1, 2)
        .fill(at >> 8, 0, 1)
    const keys = (count: number, from = 0): Uint8Array[] => Array.from({ length: count }, (_, at) => key(from + at))
    const cell = 'c'.repeat(32)
    const set = keys(64).map((each) => ({ key: each, power: 2 ** 27 - 1 }))
    const motion = {
      id: key(1),
      change: { type: 'operator-set', name: 'ÿ'.repeat(64), cell, weight: 2 ** 32, members: keys(32) } as const,
      by: key(2),
      opened: 2 ** 40,
      expires: 2 ** 40,
      effectiveAt: 2 ** 40,
      yes: keys(32),
      no: keys(32, 32),
      carried: 2 ** 40,
    }
    const full: MeshState = {
      ...value,
      height: 2 ** 40,
      operators: Array.from({ length: MAX_OPERATORS }, (_, at) => ({
        name: '語'.repeat(64),
        cell: `${cell.slice(3)}${100 + at}`,
        weight: 2 ** 27 - 1,
        members: keys(16, at * 16),
        validators: keys(1, at * 16),
        attested: { epoch: 2 ** 40, index: 2 ** 50, root: new Uint8Array(36), t: [-(2 ** 30), 2 ** 30] },
      })),
      lastValidators: set,
      validators: set,
      nextValidators: set,
      reporters: keys(1024).map((each) => ({ key: each, cell })),
      motions: Array.from({ length: MAX_MOTIONS }, () => motion),
      revoked: keys(MAX_REVOKED).map((subject) => ({ subject, cell, height: 2 ** 40 })),
      out: keys(MAX_OUT),
    }
    const bytes = stateCodec.encode(full)
    expect(bytes.byteLength).to.be.at.most(MAX_STATE_BYTES)
    expect(stateCodec.decode(bytes)).to.deep.equal(full)
  })

  it('bound a block with all that it may carry, whatever the number of its validators', () => {
    const { value } = all['block']! as { value: Parameters<typeof blockCodec.encode>[0] }
    const digest = (at: number): Uint8Array => new Uint8Array(32).fill(at & 255, 1).fill(at >> 8, 0, 1)
    for (const validators of [1, 4, 7, 13, 14, 30, 64]) {
      const names = Array.from({ length: maxNames(validators) }, (_, at) => [at, digest(at)] as const)
      const bytes = extensionCodec.encode({ time: 2 ** 50, reports: names })
      const signature = new Uint8Array(64)
      const block = {
        ...value,
        precommits: {
          height: 2 ** 50,
          round: 2 ** 31 - 1,
          value: value.header.previous,
          signatures: Array.from({ length: validators }, (_, at) => ({
            validator: new Uint8Array(32).fill(at),
            signature,
            extension: { bytes, signature },
          })),
        },
        reports: Array.from({ length: MAX_REPORTS }, () => new Uint8Array(MAX_REPORT_BYTES)),
        governance: Array.from({ length: 64 }, () => new Uint8Array(MAX_SUNDRY_BYTES / 64)),
        attestations: [],
        evidence: [],
      }
      expect(blockCodec.encode(block).byteLength, `${validators} validators`).to.be.at.most(MAX_BLOCK_BYTES)
      expect(maxNames(validators)).to.be.at.least(Math.min(1019, MAX_OPERATORS * 3))
    }
  })

  it('have a header link to the lists that travel with it, and to nothing else', () => {
    const { value } = all['block']! as { value: Parameters<typeof blockCodec.encode>[0] }
    const bytes = blockCodec.encode(value)
    const parts = partsCodec.decode(bytes)
    expect(headerOf(bytes)).to.deep.equal(value.header)
    const decoded = dagCbor.decode<Record<string, unknown>>(parts.header)
    const links = Object.keys(decoded).filter((name) => CID.asCID(decoded[name]) !== null)
    expect(links).to.have.members([...LISTS])
    for (const name of LISTS) expect(value.header[name]).to.deep.equal(valueOf(encodeLists(value)[name]))
  })

  it('give the CID that any tool gives', async () => {
    const { value } = all['state']! as { value: MeshState }
    const { sha256 } = await import('multiformats/hashes/sha2')
    const cid = CID.createV1(dagCbor.code, await sha256.digest(stateCodec.encode(value)))
    expect(cidOfState(value)).to.deep.equal(cid.bytes)
  })

  it('keep a final epoch with its certificate under the sum of their limits', () => {
    expect(finalPartsCodec.maxBytes).to.be.above(MAX_BLOCK_BYTES + certificateCodec.maxBytes)
  })
})
