import { expect } from 'chai'
import * as fc from 'fast-check'
import { execFile } from 'node:child_process'
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { readTar } from '../../../node/api/tar/read.ts'
import { writeTar, type TarEntry } from '../../../node/api/tar/write.ts'
import { collect } from '../../helpers/collect.ts'

const run = promisify(execFile)

interface Flat {
  path: string
  type: TarEntry['type']
  bytes: Buffer
}

async function* entriesOf(files: Flat[]): AsyncIterable<TarEntry> {
  for (const { path, type, bytes } of files) yield { path, type, size: bytes.length, content: inPieces(bytes, 700) }
}

async function* inPieces(bytes: Uint8Array, size: number): AsyncIterable<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size)
}

async function unpack(archive: Uint8Array, pieces = 333): Promise<Flat[]> {
  const files: Flat[] = []
  for await (const { path, type, content } of readTar(inPieces(archive, pieces)))
    files.push({ path, type, bytes: Buffer.concat(await collect(content ?? [])) })
  return files
}

const pack = async (files: Flat[]) => Buffer.concat(await collect(writeTar(entriesOf(files))))
const file = (path: string, text = ''): Flat => ({ path, type: 'file', bytes: Buffer.from(text) })
const codeOf = (promise: Promise<unknown>) =>
  promise.then(
    () => 'accepted',
    (error: { code: string }) => error.code,
  )

describe('tar', () => {
  it('reads what it wrote: any names, any content, any chunks', async () => {
    const name = fc
      .string({ unit: 'grapheme', minLength: 1, maxLength: 60 })
      .filter((text) => !/[/\\\0]/.test(text) && text !== '.' && text !== '..' && text.isWellFormed())
    const flat = fc.record({
      path: fc.array(name, { minLength: 1, maxLength: 4 }).map((parts) => parts.join('/')),
      type: fc.constant('file' as const),
      bytes: fc.uint8Array({ maxLength: 2000 }).map((bytes) => Buffer.from(bytes)),
    })
    await fc.assert(
      fc.asyncProperty(fc.array(flat, { maxLength: 5 }), fc.integer({ min: 1, max: 3000 }), async (files, pieces) => {
        expect(await unpack(await pack(files), pieces)).to.deep.equal(files)
      }),
    )
  })

  describe('with the tar of this machine', () => {
    let directory: string
    before(async () => {
      directory = await mkdtemp(join(tmpdir(), 'kairos-tar-'))
    })
    after(() => rm(directory, { recursive: true }))
    const long = 'a-long-name-'.repeat(12)

    for (const format of ['ustar', 'gnu', 'pax'])
      it(`reads its ${format} format`, async () => {
        const nested = format === 'ustar' ? 'docs' : long
        await mkdir(join(directory, format, nested), { recursive: true })
        await writeFile(join(directory, format, nested, 'grüße.txt'), 'hello')
        const { stdout } = await run('tar', [`--format=${format}`, '-c', '-C', directory, format], {
          encoding: 'buffer',
        })
        const found = await unpack(stdout)
        expect(found.map(({ path, type }) => [path, type])).to.deep.equal([
          [format, 'directory'],
          [`${format}/${nested}`, 'directory'],
          [`${format}/${nested}/grüße.txt`, 'file'],
        ])
        expect(found[2]?.bytes.toString()).to.equal('hello')
      })

    it('is read by it', async () => {
      const archive = await pack([
        { path: 'out', type: 'directory', bytes: Buffer.alloc(0) },
        file(`out/${long}`, 'x'),
        file('out/grüße', 'y'),
      ])
      await writeFile(join(directory, 'a.tar'), archive)
      await run('tar', ['-x', '-f', 'a.tar'], { cwd: directory })
      expect(await readFile(join(directory, 'out', long), 'utf8')).to.equal('x')
      expect(await readFile(join(directory, 'out', 'grüße'), 'utf8')).to.equal('y')
    })
  })

  for (const path of ['../evil', '/etc/passwd', 'a/../../evil', 'a\\..\\evil', 'a/..'])
    it(`refuses the path ${path}`, async () => {
      expect(await codeOf(pack([file(path)]).then((archive) => unpack(archive)))).to.equal('E_TAR')
    })

  it('refuses links and devices', async () => {
    for (const type of ['1', '2', '3', '4', '6']) {
      const archive = await pack([file('a')])
      archive.write(type, 156)
      // One more in the type is one more in the checksum.
      const sum = Number.parseInt(archive.toString('latin1', 148, 154), 8) + Number(type)
      archive.write(sum.toString(8).padStart(6, '0'), 148)
      expect(await codeOf(unpack(archive))).to.equal('E_TAR')
    }
  })

  it('refuses an archive that is damaged, or ends too early, at every place', async () => {
    const archive = await pack([file('a', 'x'.repeat(600)), file('b', 'y')])
    for (let length = 1; length < archive.length - 1024; length += 97)
      expect(await codeOf(unpack(archive.subarray(0, length))), `at ${length}`).to.equal('E_TAR')
    archive.writeUInt8(archive.readUInt8(3) ^ 1, 3)
    expect(await codeOf(unpack(archive))).to.equal('E_TAR')
  })

  it('takes no name record over its limit into memory', async () => {
    const archive = await pack([file('a'.repeat(5000))])
    expect(await codeOf(unpack(archive))).to.equal('E_TAR')
  })

  it('never hangs or fails without a code on garbage', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 3000 }), async (garbage) => {
        expect(await codeOf(unpack(garbage))).to.be.oneOf(['accepted', 'E_TAR'])
      }),
    )
  })

  it('says so when a file changes while it is read', async () => {
    async function* lying(): AsyncIterable<TarEntry> {
      yield { path: 'a', type: 'file', size: 10, content: inPieces(Buffer.from('short'), 10) }
    }
    expect(await codeOf(collect(writeTar(lying())))).to.equal('E_TAR')
  })
})
