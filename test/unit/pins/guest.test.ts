import { expect } from 'chai'
import { GuestPins } from '../../../node/pins/guest.ts'
import { serveGuest } from '../../../node/pins/serve-guests.ts'
import { codeThrown } from '../../helpers/content-node.ts'
import { FAKE_CID } from '../../helpers/fake-operations.ts'
import { fakePins } from '../../helpers/fake-pins.ts'

const { signal } = new AbortController()
const page = { limit: 10 }

describe('pins of a light node', () => {
  const guest = () => {
    const [own, asked]: [string[], string[]] = [[], []]
    const ask = async (op: string) => {
      asked.push(op)
      return { pins: [], statuses: [], next: null }
    }
    return { pins: new GuestPins({ own: fakePins(own), ask }), own, asked }
  }

  it('go to its cell, and with `local` stay on the node itself', async () => {
    const { pins, own, asked } = guest()
    await pins.add(FAKE_CID, { name: 'n' }, signal)
    await pins.add(FAKE_CID, { name: 'n', local: true }, signal)
    await pins.list({}, page, signal)
    await pins.list({ local: true, name: 'n' }, page, signal)
    await pins.statuses({}, { ...page, local: false }, signal)
    await pins.statuses({}, { ...page, local: true }, signal)
    expect(asked).to.deep.equal(['add', 'list', 'statuses'])
    expect(own).to.deep.equal([
      `pins.add "${FAKE_CID}" {"name":"n"}`,
      'pins.list {"name":"n"} {"limit":10}',
      'pins.statuses {} {"limit":10,"local":true}',
    ])
  })

  it('in a status are sought by the full node, and not in its page', async () => {
    const asked: unknown[] = []
    const ask = async (_op: string, args: readonly unknown[]) => asked.push(args)
    await new GuestPins({ own: fakePins([]), ask }).statuses(
      { statuses: ['pin_error'] },
      { ...page, local: false },
      signal,
    )
    expect(asked).to.deep.equal([[{ statuses: ['pin_error'] }, page]])
    const calls: string[] = []
    await serveGuest(fakePins(calls), 'statuses', asked[0] as [], signal)
    expect(calls).to.deep.equal(['pins.statuses {"statuses":["pin_error"]} {"limit":10,"local":false}'])
    const other = () => serveGuest(fakePins(calls), 'statuses', [{ statuses: ['lost'] }, page], signal)
    expect(await codeThrown(other)).to.equal('E_PARAMETER')
  })

  it('that have failed are tried again on the node itself and in its cell', async () => {
    const own: string[] = []
    const asked: unknown[] = []
    const ask = async (op: string, args: readonly unknown[]) => {
      asked.push([op, args])
      return { recovered: 3 }
    }
    const pins = new GuestPins({ own: fakePins(own), ask })
    expect(await pins.recover(undefined, { local: false }, signal)).to.deep.equal({ recovered: 5 })
    expect(await pins.recover(undefined, { local: true }, signal)).to.deep.equal({ recovered: 2 })
    expect(asked).to.deep.equal([['recover', [null, { local: false }]]])
  })

  it('of its cell are planned and exported by a full node, and its own are not given for them', async () => {
    const { pins, own, asked } = guest()
    const refusals = [() => pins.plan(), async () => pins.export(), async () => pins.import()]
    for (const refused of refusals) expect(await codeThrown(refused)).to.equal('E_NOT_IN_ROLE')
    expect([own, asked]).to.deep.equal([[], []])
  })

  it('recover at a full node for it alone where another member asks', async () => {
    const calls: string[] = []
    const recover = (...args: unknown[]) => serveGuest(fakePins(calls), 'recover', args, signal)
    await recover(FAKE_CID, { local: true })
    await recover(null, { local: false })
    expect(calls).to.deep.equal([`pins.recover "${FAKE_CID}" {"local":true}`, 'pins.recover  {"local":false}'])
    expect(await codeThrown(() => recover(FAKE_CID))).to.equal('E_PARAMETER')
  })

  it('are served by a full node, which does not take `local` from others', async () => {
    const calls: string[] = []
    const serve = (options: object) => serveGuest(fakePins(calls), 'add', [FAKE_CID, options], signal)
    await serve({ name: 'n' })
    const refused = await serve({ local: true }).catch((error: { code: string }) => error.code)
    expect([calls.length, refused]).to.deep.equal([1, 'E_PARAMETER'])
  })
})
