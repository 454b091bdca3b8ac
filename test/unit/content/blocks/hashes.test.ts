import { blake2b, blake2s } from '@noble/hashes/blake2.js'
import { blake3 } from '@noble/hashes/blake3.js'
import { sha1 } from '@noble/hashes/legacy.js'
import { sha224, sha256, sha384, sha512, sha512_224, sha512_256 } from '@noble/hashes/sha2.js'
import * as sha3 from '@noble/hashes/sha3.js'
import { expect } from 'chai'
import { CID } from 'multiformats/cid'
import * as Digest from 'multiformats/hashes/digest'
import { isIdentity, matches, requireCheckable } from '../../../../node/content/blocks/hashes.ts'
import { codeThrown } from '../../../helpers/content-node.ts'

/** As the table of multicodec has them; the digests by another library where ours come from OpenSSL. */
const HASHES: [name: string, code: number, hash: (bytes: Uint8Array) => Uint8Array][] = [
  ['sha1', 0x11, sha1],
  ['sha2-256', 0x12, sha256],
  ['sha2-512', 0x13, sha512],
  ['sha3-512', 0x14, sha3.sha3_512],
  ['sha3-384', 0x15, sha3.sha3_384],
  ['sha3-256', 0x16, sha3.sha3_256],
  ['sha3-224', 0x17, sha3.sha3_224],
  ['keccak-224', 0x1a, sha3.keccak_224],
  ['keccak-256', 0x1b, sha3.keccak_256],
  ['keccak-384', 0x1c, sha3.keccak_384],
  ['keccak-512', 0x1d, sha3.keccak_512],
  ['blake3', 0x1e, blake3],
  ['blake3 of 64 bytes', 0x1e, (bytes) => blake3(bytes, { dkLen: 64 })],
  ['sha2-384', 0x20, sha384],
  ['dbl-sha2-256', 0x56, (bytes) => sha256(sha256(bytes))],
  ['sha2-224', 0x1013, sha224],
  ['sha2-512-224', 0x1014, sha512_224],
  ['sha2-512-256', 0x1015, sha512_256],
  ['blake2b-160', 0xb214, (bytes) => blake2b(bytes, { dkLen: 20 })],
  ['blake2b-256', 0xb220, (bytes) => blake2b(bytes, { dkLen: 32 })],
  ['blake2b-512', 0xb240, (bytes) => blake2b(bytes, { dkLen: 64 })],
  ['blake2s-160', 0xb254, (bytes) => blake2s(bytes, { dkLen: 20 })],
  ['blake2s-256', 0xb260, (bytes) => blake2s(bytes, { dkLen: 32 })],
]
const cidOf = (code: number, digest: Uint8Array): CID => CID.createV1(0x55, Digest.create(code, digest))
const refused = (code: number, digest: Uint8Array): Promise<string> =>
  codeThrown(async () => requireCheckable(cidOf(code, digest)))

describe('hashes of blocks', () => {
  const bytes = Buffer.from('abc')

  for (const [name, code, hash] of HASHES) {
    it(`${name}: tells its block from one with a flipped bit, and refuses a digest cut short`, async () => {
      const digest = hash(bytes)
      const cid = cidOf(code, digest)
      requireCheckable(cid)
      expect(await matches(cid, bytes)).to.equal(true)
      expect(await matches(cid, Buffer.from('abb'))).to.equal(false)
      expect(await refused(code, digest.subarray(0, 19))).to.equal('E_HASH_UNSUPPORTED')
    })
  }

  it('agrees with published digests of "abc"', async () => {
    const published: [number, string][] = [
      [0x12, 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad'],
      [0x16, '3a985da74fe225b2045c172d6bd390bd855f086e3e9d525b46bfe24511431532'],
      [0x1b, '4e03657aea45a94fc7d47ba826c8d667c0d1e6e33a64a036ec44f58fa12d6c45'],
      [0x1e, '6437b3ac38465133ffb63b75273a8db548c558465d79db03fd359c6cd5bd9d85'],
      [0xb260, '508c5e8c327c14e2e1a72ba34eeb452f37458b209ed63a294d999b4c86675982'],
    ]
    for (const [code, hex] of published)
      expect(await matches(cidOf(code, Buffer.from(hex, 'hex')), bytes)).to.equal(true)
  })

  it('takes an identity CID for its own block, and refuses hashes that prove nothing or are not known', async () => {
    const own = cidOf(0, bytes)
    expect([isIdentity(own), await matches(own, bytes), await matches(own, Buffer.from('abcd'))]).to.deep.equal([
      true,
      true,
      false,
    ])
    const murmur3 = 0x22
    for (const code of [murmur3, 0xd5, 0xb200, 0xb261, 0x300000])
      expect(await refused(code, new Uint8Array(32))).to.equal('E_HASH_UNSUPPORTED')
    expect(await refused(0xb201, new Uint8Array(1))).to.equal('E_HASH_UNSUPPORTED')
    expect(await refused(0x1e, new Uint8Array(129))).to.equal('E_HASH_UNSUPPORTED')
  })
})
