import { expect } from 'chai'
import { peerIdFromString } from '@libp2p/peer-id'
import { boundedAsk } from '../../../node/pins/bounded-ask.ts'
import { CodedError } from '../../../protocols/shared/errors.ts'
import { collect } from '../../helpers/collect.ts'
import { peer } from '../state/cell.ts'

const [b, c] = [peerIdFromString(peer('B')), peerIdFromString(peer('C'))]
const { signal } = new AbortController()

/** A peer that answers when it is told to, and how many questions it has at once. */
class Slow {
  readonly waiting: (() => void)[] = []
  most = 0
  #now = 0
  ask = async function* (this: Slow) {
    this.most = Math.max(this.most, ++this.#now)
    await new Promise<void>((resolve) => this.waiting.push(resolve))
    this.#now -= 1
    yield 'row'
  }.bind(this)
}

describe('pins: asking other nodes', () => {
  it('a peer has four questions at a time, however many there are; another one has its own', async () => {
    const slow = new Slow()
    const ask = boundedAsk(slow.ask)
    const answers = [b, b, b, b, b, b, b, b, b, b].map((to) => collect(ask(to, {}, signal)))
    const other = collect(ask(c, {}, signal))
    let done = false
    const all = Promise.all([...answers, other]).finally(() => (done = true))
    while (!done) {
      slow.waiting.splice(0).forEach((answer) => answer())
      await new Promise(setImmediate)
    }
    expect((await all).flat()).to.deep.equal(Array(11).fill('row'))
    expect(slow.most).to.equal(5)
  })

  it('who leaves before the answer, or gives up waiting, takes no place', async () => {
    const slow = new Slow()
    const ask = boundedAsk(slow.ask)
    const first = [b, b, b, b].map((to) => collect(ask(to, {}, signal)))
    const patience = new AbortController()
    const late = collect(ask(b, {}, patience.signal)).catch((error: Error) => error.message)
    const last = collect(ask(b, {}, signal))
    patience.abort(new Error('enough'))
    expect(await late).to.equal('enough')
    slow.waiting.splice(0).forEach((answer) => answer())
    await Promise.all(first)
    while (slow.waiting.length === 0) await new Promise(setImmediate)
    slow.waiting.splice(0).forEach((answer) => answer())
    expect(await last).to.deep.equal(['row'])
  })

  it('asks again where the peer is busy, and tells every other refusal', async () => {
    const codes = ['E_QUERY_BUSY', 'E_QUERY_BUSY']
    const ask = boundedAsk(async function* () {
      const code = codes.shift()
      if (code !== undefined) throw new CodedError(code, code)
      yield 'row'
    })
    expect(await collect(ask(b, {}, signal))).to.deep.equal(['row'])
    codes.push('E_PIN_UNKNOWN')
    const refused = await collect(ask(b, {}, signal)).catch((error: CodedError) => error.code)
    expect(refused).to.equal('E_PIN_UNKNOWN')
  })
})
