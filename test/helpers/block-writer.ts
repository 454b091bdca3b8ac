import { randomBytes, randomInt } from 'node:crypto'
import { writeSync } from 'node:fs'
import { blockOf, LARGE, openBlockStore, SMALL } from './blocks.ts'

/**
 * A process to be killed: `block-writer.ts PATH` puts and deletes blocks, several at a time, until
 * it dies. One line for each: `+CID` once it is put, `?CID` before it is deleted, `-CID` after.
 */
const WORKERS = 12
const say = (line: string): void => void writeSync(1, `${line}\n`)

const store = await openBlockStore(process.argv[2]!)
const work = async (): Promise<never> => {
  for (;;) {
    const { cid, bytes } = await blockOf(
      randomBytes(randomInt(2) === 0 ? randomInt(1, SMALL) : randomInt(SMALL, LARGE)),
    )
    await store.put(cid, bytes)
    say(`+${cid}`)
    if (randomInt(4) > 0) continue
    say(`?${cid}`)
    await store.delete(cid)
    say(`-${cid}`)
  }
}
await Promise.all(Array.from({ length: WORKERS }, work))
