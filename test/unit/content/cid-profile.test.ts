import { createCipheriv, createHash } from 'node:crypto'
import { expect } from 'chai'
import type { CID } from 'multiformats/cid'
import { addEntries } from '../../../node/content/add.ts'
import type { AddEntry } from '../../../node/operations.ts'
import { collectAll, stream } from '../../helpers/content-node.ts'

const MIB = 2 ** 20
const { signal } = new AbortController()

/** Keeps nothing: only the CIDs count. */
const store = { put: async (cid: CID): Promise<CID> => cid }

/** The pseudo-random stream of kubo's profile tests: ChaCha20 under SHA-256(seed), nonce and counter 0. */
async function* chacha20(bytes: number, seed: string): AsyncGenerator<Uint8Array> {
  const cipher = createCipheriv('chacha20', createHash('sha256').update(seed).digest(), Buffer.alloc(16))
  const zeros = Buffer.alloc(MIB)
  for (let left = bytes; left > 0; left -= MIB) yield cipher.update(zeros.subarray(0, Math.min(left, MIB)))
}

/** The file names of kubo's directory tests: letters chosen by the first MiB of that stream. */
async function* namedFiles(lastNameLength: number): AsyncGenerator<AddEntry> {
  const letters = 'abcdefghijklmnopqrstuvwxyz01234567890-_'
  const [random] = await collectAll(chacha20(MIB, 'hamt-unixfs-v1-2025'))
  for (let i = 0, at = 0; i < 4766; i++) {
    const length = i === 4765 ? lastNameLength : 11
    const name = Array.from(random!.subarray(at, at + length), (byte) => letters[byte % letters.length]).join('')
    at += length
    yield { path: `root/${name}`, content: stream(Buffer.from('x')) }
  }
}

async function rootOf(entries: AsyncIterable<AddEntry>, wrapWithDirectory = false): Promise<string | undefined> {
  return (await collectAll(addEntries(entries, { wrapWithDirectory }, { store, signal }))).at(-1)?.cid
}

const fileOf = (bytes: number, seed: string): AsyncIterable<AddEntry> =>
  stream({ path: '', content: chacha20(bytes, seed) })

/** Expected CIDs: kubo, test/cli/cid_profiles_test.go and add_test.go; js-ipfs-unixfs, ipip-499-profiles.spec.ts. */
describe('CIDs under the profile unixfs-v1-2025 (IPIP-499)', () => {
  it('small file: one raw block', async () => {
    const entries = stream({ path: '', content: stream(Buffer.from('hello world')) })
    expect(await rootOf(entries)).to.equal('bafkreifzjut3te2nhyekklss27nh3k72ysco7y32koao5eei66wof36n5e')
  })

  it('empty directory', async () => {
    const cid = 'bafybeiczsscdsbs7ffqz55asqdf3smv6klcw3gofszvwlyarci47bgf354'
    expect(await rootOf(stream({ path: 'empty' }))).to.equal(cid)
  })

  it('file of exactly one chunk, and one byte more', async () => {
    const one = 'bafkreiacndfy443ter6qr2tmbbdhadvxxheowwf75s6zehscklu6ezxmta'
    const two = 'bafybeigmix7t42i6jacydtquhet7srwvgpizfg7gjbq7627d35mjomtu64'
    expect(await rootOf(fileOf(MIB, 'chunk-v1-seed'))).to.equal(one)
    expect(await rootOf(fileOf(MIB + 1, 'chunk-v1-seed'))).to.equal(two)
  })

  it('directory at 256 KiB stays flat, one byte more is sharded', async () => {
    expect(await rootOf(namedFiles(21))).to.equal('bafybeic3h7rwruealwxkacabdy45jivq2crwz6bufb5ljwupn36gicplx4')
    expect(await rootOf(namedFiles(22))).to.equal('bafybeiegvuterwurhdtkikfhbxcldohmxp566vpjdofhzmnhv6o4freidu')
  })

  it('file of 1024 chunks is one level deep, one byte more two', async function () {
    this.timeout(60_000)
    const full = 'bafybeihmf37wcuvtx4hpu7he5zl5qaf2ineo2lqlfrapokkm5zzw7zyhvm'
    const over = 'bafybeibdsi225ugbkmpbdohnxioyab6jsqrmkts3twhpvfnzp77xtzpyhe'
    expect(await rootOf(fileOf(1024 * MIB, 'v1-2025-seed'))).to.equal(full)
    expect(await rootOf(fileOf(1024 * MIB + 1, 'v1-2025-seed'))).to.equal(over)
  })
})

describe('what add makes of its entries', () => {
  const files = (...paths: string[]): AsyncIterable<AddEntry> =>
    stream(...paths.map((path) => ({ path, content: stream(Buffer.from(path)) })))
  const rowsOf = async (entries: AsyncIterable<AddEntry>, wrapWithDirectory: boolean): Promise<string[]> =>
    (await collectAll(addEntries(entries, { wrapWithDirectory }, { store, signal }))).map(({ path }) => path)

  it('yields files as they are stored, then directories from the inside, the root last', async () => {
    expect(await rowsOf(files('d/b', 'd/e/a', 'd/a'), false)).to.deep.equal(['d/b', 'd/e/a', 'd/a', 'd/e', 'd'])
    expect(await rowsOf(files('a'), true)).to.deep.equal(['a', ''])
  })

  it('gives the same directory whatever the order of its entries, and ignores modes', async () => {
    const one = await rootOf(files('d/a', 'd/b', 'd/c'))
    expect(await rootOf(files('d/c', 'd/a', 'd/b'))).to.equal(one)
    const withMode = stream({ path: 'd/a', content: stream(Buffer.from('d/a')), mode: 0o755 })
    expect(await rootOf(withMode)).to.equal(await rootOf(files('d/a')))
  })

  it('reads one entry to its end before it takes the next', async () => {
    const events: string[] = []
    const content = async function* (name: string): AsyncGenerator<Uint8Array> {
      yield Buffer.from(name)
      events.push(`end ${name}`)
    }
    const entries = async function* (): AsyncGenerator<AddEntry> {
      for (const name of ['a', 'b', 'c']) {
        events.push(`take ${name}`)
        yield { path: name, content: content(name) }
      }
    }
    await rootOf(entries(), true)
    expect(events).to.deep.equal(['take a', 'end a', 'take b', 'end b', 'take c', 'end c'])
  })

  it('holds a few chunks of a large file, not the file', async () => {
    let taken = 0
    let put = 0
    const counting = {
      put: async (cid: CID): Promise<CID> => {
        put++
        expect(taken - put).to.be.at.most(8)
        await new Promise((resolve) => setImmediate(resolve))
        return cid
      },
    }
    const content = async function* (): AsyncGenerator<Uint8Array> {
      for (; taken < 64; taken++) yield Buffer.alloc(MIB, taken)
    }
    const entries = stream({ path: 'large', content: content() })
    const [row] = await collectAll(addEntries(entries, { wrapWithDirectory: false }, { store: counting, signal }))
    expect([row?.size, put]).to.deep.equal([64 * MIB, 65])
  })

  it('refuses names that lead out, and a nameless stream in a directory', async () => {
    const codeOf = (entries: AsyncIterable<AddEntry>, wrap = false): Promise<unknown> =>
      rootOf(entries, wrap).catch((error: { code: string }) => error.code)
    for (const path of ['../x', 'a/../../x', '/etc/x', 'a//b', 'a\\/b']) {
      expect(await codeOf(files(path)), path).to.equal('E_PATH_UNSAFE')
    }
    expect(await codeOf(files(''), true)).to.equal('E_NAME_MISSING')
  })
})
