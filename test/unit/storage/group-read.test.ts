import { expect } from 'chai'
import { GroupRead } from '../../../node/storage/group-read.ts'

/** Gives each key back as its value, and notes the calls. */
function source({ damaged }: { damaged?: string } = {}) {
  const calls: string[][] = []
  const read = async (keys: Uint8Array[]): Promise<Uint8Array[]> => {
    const names = keys.map((key) => Buffer.from(key).toString())
    calls.push(names)
    if (damaged !== undefined && names.includes(damaged)) throw new Error(`${damaged} is damaged`)
    return keys
  }
  const group = new GroupRead({ one: async (key) => (await read([key]))[0], many: read })
  return { calls, get: async (name: string) => Buffer.from((await group.get(Buffer.from(name)))!).toString() }
}

describe('group read', () => {
  it('puts the reads of one turn into one call, also those of callers that an event has woken', async () => {
    const { calls, get } = source()
    const woken = Promise.resolve()
      .then(() => undefined)
      .then(() => get('b'))
    expect(await Promise.all([get('a'), woken, get('c')])).to.deep.equal(['a', 'b', 'c'])
    expect(calls).to.deep.equal([['a', 'c', 'b']])
  })

  it('reads a single key as such', async () => {
    const { calls, get } = source()
    expect([await get('a'), await get('b')]).to.deep.equal(['a', 'b'])
    expect(calls).to.deep.equal([['a'], ['b']])
  })

  it('splits what would be a long call', async () => {
    const { calls, get } = source()
    const names = Array.from({ length: 150 }, (_, n) => `key ${n}`)
    expect(await Promise.all(names.map(get))).to.deep.equal(names)
    expect(calls.map(({ length }) => length)).to.deep.equal([64, 64, 22])
  })

  it('a read that fails fails for its own caller alone', async () => {
    const { get } = source({ damaged: 'b' })
    const results = await Promise.allSettled([get('a'), get('b'), get('c')])
    expect(results.map(({ status }) => status)).to.deep.equal(['fulfilled', 'rejected', 'fulfilled'])
  })
})
