import { expect } from 'chai'
import * as fc from 'fast-check'
import { multiaddr } from '@multiformats/multiaddr'
import {
  AddressRanges,
  AddressRangeSet,
  hostOf,
  isDiallable,
  LOOPBACK_RANGES,
  ownerOf,
} from '../../../node/network/address-range.ts'
import { backoffMs } from '../../../node/network/backoff.ts'
import { TokenBuckets } from '../../../node/network/token-bucket.ts'

describe('token buckets', () => {
  const allowance = { ratePerSecond: 5, burst: 5 }

  it('give the burst at once, then the rate', () => {
    const buckets = new TokenBuckets(10)
    const atOnce = Array.from({ length: 8 }, () => buckets.take('a', allowance, 0))
    expect(atOnce.filter(Boolean)).to.have.length(5)
    expect(buckets.take('a', allowance, 100)).to.equal(false)
    expect(buckets.take('a', allowance, 300)).to.equal(true)
    expect(buckets.take('b', allowance, 300)).to.equal(true)
  })

  it('never give more than burst + rate · time, and stay bounded, also when the clock goes back', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: -50, max: 400 }), { maxLength: 200 }), (steps) => {
        const buckets = new TokenBuckets(4)
        let now = 1000
        let latest = now
        let given = 0
        for (const [index, step] of steps.entries()) {
          now += step
          latest = Math.max(latest, now)
          if (buckets.take('a', allowance, now)) given += 1
          buckets.take(`other${index % 3}`, allowance, now)
        }
        const forward = steps.filter((step) => step > 0).reduce((sum, step) => sum + step, 0)
        expect(given).to.be.at.most(allowance.burst + (forward * allowance.ratePerSecond) / 1000 + 1e-9)
        expect(buckets.size).to.be.at.most(4)
      }),
    )
  })
})

describe('address ranges', () => {
  it('hold loopback in all its spellings and the operator’s ranges', () => {
    const ranges = new AddressRanges([...LOOPBACK_RANGES, '10.1.0.0/16', '2001:db8::/32'])
    const set = new AddressRangeSet(ranges)
    for (const inside of ['127.0.0.1', '127.9.9.9', '::1', '10.1.2.3', '2001:db8:1::1'])
      expect(set.has(inside)).to.equal(true)
    for (const outside of ['10.2.0.1', '192.0.2.1', '2001:db9::1', 'name', '']) expect(set.has(outside)).to.equal(false)
  })

  it('name the other end’s host, except over a relay', () => {
    expect(hostOf(multiaddr('/ip4/192.0.2.1/tcp/1'))).to.equal('192.0.2.1')
    expect(hostOf(multiaddr('/ip6/::ffff:192.0.2.1/tcp/1'))).to.equal('192.0.2.1')
    const relay = '/ip4/192.0.2.1/tcp/1/p2p/12D3KooWJWoaqZhDaoEFshF7Rh1bpY9ohihFhzcW6d69Lr2NASuq/p2p-circuit'
    expect(hostOf(multiaddr(relay))).to.equal(undefined)
  })

  it('take the /64 of an IPv6 address for one owner', () => {
    expect(ownerOf('2001:db8::1')).to.equal(ownerOf('2001:db8:0:0:ffff:1:2:3'))
    expect(ownerOf('2001:db8:0:1::1')).to.not.equal(ownerOf('2001:db8::1'))
    expect(ownerOf('::1')).to.equal('0:0:0:0::/64')
    expect(ownerOf('192.0.2.1')).to.equal('192.0.2.1')
  })

  it('know what no transport of ours can dial', () => {
    expect(isDiallable(multiaddr('/dns4/example.org/tcp/443/tls/ws'))).to.equal(true)
    expect(isDiallable(multiaddr('/ip4/192.0.2.1/udp/1/quic-v1'))).to.equal(false)
  })
})

describe('backoff', () => {
  it('grows, is jittered by half and capped at 30 s', () => {
    expect(backoffMs(0, 0)).to.equal(250)
    expect(backoffMs(0, 0.999)).to.be.closeTo(500, 1)
    expect(backoffMs(3, 0.5)).to.be.greaterThan(backoffMs(2, 0.5))
    expect(backoffMs(1_000_000, 0)).to.equal(15_000)
  })
})
