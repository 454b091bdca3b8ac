import { expect } from 'chai'
import { GuestPins } from '../../../node/pins/guest.ts'
import { serveGuest } from '../../../node/pins/serve-guests.ts'
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

  it('are served by a full node, which does not take `local` from others', async () => {
    const calls: string[] = []
    const serve = (options: object) => serveGuest(fakePins(calls), 'add', [FAKE_CID, options], signal)
    await serve({ name: 'n' })
    const refused = await serve({ local: true }).catch((error: { code: string }) => error.code)
    expect([calls.length, refused]).to.deep.equal([1, 'E_PARAMETER'])
  })
})
