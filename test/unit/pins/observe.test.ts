import { expect } from 'chai'
import { pinOf } from '../../../consensus/state/index.ts'
import type { LocalPin } from '../../../node/content/pins/index.ts'
import { Observer } from '../../../node/pins/observe.ts'
import { reasonOf } from '../../../node/pins/tracker/index.ts'
import { CodedError } from '../../../protocols/shared/errors.ts'
import { peer } from '../state/cell.ts'
import { cellOf, cidOf, pin } from '../state/pins.ts'

const { signal } = new AbortController()

describe('pins: what is seen of a copy', () => {
  const own = async (held: Pick<LocalPin, 'state' | 'error'> | undefined) => {
    const replica = cellOf('A')
    pin(replica, 1, { min: 1, max: 1, allocations: [peer('A')] })
    const observer = new Observer({
      cell: { tree: replica.tree },
      mesh: { self: peer('A'), nameOf: String } as never,
      local: { get: async () => held as LocalPin | undefined },
      tracker: { statusOf: () => undefined },
      proofs: { provenAt: () => undefined, badCopies: () => [] },
    })
    const { copies } = await observer.status(pinOf(replica.tree, cidOf(1))!, { local: true }, signal)
    return [copies[0]?.status, copies[0]?.reason?.code]
  }

  it('here is what the store has of it, and why it failed', async () => {
    expect(await own({ state: 'pinned' })).to.deep.equal(['pinned', undefined])
    expect(await own({ state: 'pinning' })).to.deep.equal(['pin_queued', undefined])
    expect(await own(undefined)).to.deep.equal(['unexpectedly_unpinned', 'storage'])
    const failed = (code: string) => own({ state: 'failed', error: { code, message: '' } })
    expect(await failed('E_DAG_TOO_LARGE')).to.deep.equal(['pin_error', 'too_large'])
    expect(await failed('E_STORAGE_IO')).to.deep.equal(['pin_error', 'storage'])
  })

  it('says that a holder could not be reached by whichever protocol', () => {
    for (const code of ['E_BLOCKS_DIAL', 'E_DIAL_FAILED', 'E_PEER_UNREACHABLE'])
      expect(reasonOf(new CodedError(code, '')).code).to.equal('dial_failed')
    expect(reasonOf(new CodedError('E_QUOTA', '')).code).to.equal('quota')
  })
})
