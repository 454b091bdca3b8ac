import { ClassicLevel } from 'classic-level'
import { expect } from 'chai'
import { randomBytes } from 'node:crypto'
import { mkdtemp, readFile, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { findDamage } from '../../../node/storage/log-check.ts'

/** A log that LevelDB itself wrote: batches of one value each, some over several 32 KiB blocks. */
async function writeLog(sizes: number[]): Promise<Buffer> {
  const directory = await mkdtemp(join(tmpdir(), 'kairos-wal-'))
  try {
    const level = new ClassicLevel<string, Uint8Array>(directory, { valueEncoding: 'view' })
    for (const [index, size] of sizes.entries()) await level.put(`key-${index}`, randomBytes(size))
    await level.close()
    const name = (await readdir(directory)).find((entry) => entry.endsWith('.log')) ?? ''
    return await readFile(join(directory, name))
  } finally {
    await rm(directory, { recursive: true })
  }
}

function flipped(log: Buffer, at: number): Buffer {
  const copy = Buffer.from(log)
  copy[at] = (copy[at] ?? 0) ^ 1
  return copy
}

describe('write-ahead log check', () => {
  let log: Buffer
  before(async () => (log = await writeLog([100, 40_000, 7, 32_700, 100_000, 50, 50])))

  it('passes a log as LevelDB writes it', () => {
    expect(findDamage(log)).to.equal(undefined)
    expect(findDamage(Buffer.alloc(0))).to.equal(undefined)
  })

  it('finds every flipped bit that a later batch follows: header, length, type and data', () => {
    // The last batch is 50 bytes and its framing; everything before is followed by it.
    const guarded = log.length - 90
    const places = [
      ...Array.from({ length: 16 }, (_, i) => i),
      ...Array.from({ length: 200 }, (_, i) => Math.floor((i * guarded) / 200)),
    ]
    for (const at of places)
      expect(findDamage(flipped(log, at)), `byte ${at}`)
        .to.be.a('number')
        .that.is.at.most(at)
  })

  it('passes a log cut anywhere: that is how a power cut leaves the batch being written', () => {
    for (let length = 0; length < log.length; length += 997) {
      expect(findDamage(log.subarray(0, length)), `length ${length}`).to.equal(undefined)
    }
  })

  it('passes damage in the last batch only, even with more of that batch behind it', async () => {
    const torn = await writeLog([100, 150_000])
    expect(findDamage(flipped(torn, 40_000))).to.equal(undefined)
    expect(findDamage(flipped(torn, torn.length - 3))).to.equal(undefined)
  })
})
