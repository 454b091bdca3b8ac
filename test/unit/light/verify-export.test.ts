import * as dagCbor from '@ipld/dag-cbor'
import { assert } from 'chai'
import { buildExport } from '../../../consensus/light/build-export.ts'
import { cidOf } from '../../../consensus/epoch/cid.ts'
import { headerCodec } from '../../../consensus/epoch/header-codec.ts'
import { decodeExport, encodeExport, type ExportBytes } from '../../../consensus/light/file.ts'
import { verifyExport, type ExportTrust } from '../../../consensus/light/verify-export.ts'
import { DEFAULT_TRUSTING_MS, MAX_CLOCK_AHEAD_MS } from '../../../consensus/light/skip.ts'
import { encodeCertificate } from '../../../consensus/light/wire.ts'
import { verifyBytes } from '../../../protocols/shared/signature.ts'
import { CREATED, EPOCH_MS, LightChain, certify, lightGenesis, setOf } from '../../helpers/light-chain.ts'
import { assertRefused } from '../../helpers/refused.ts'

const FOUNDERS = [0, 1, 2, 3]
const OTHERS = [4, 5, 6, 7]
const CHANGE = 10
const now = CREATED + 3_600_000

describe('verifyExport', () => {
  /** The whole set changes at once, after nine epochs of the founders. */
  const chain = new LightChain((height) => (height < CHANGE ? FOUNDERS : OTHERS), 20)
  const genesis: ExportTrust = { mesh: chain.mesh, now, verify: verifyBytes }
  const checkpointAt = (height: number): ExportTrust => ({
    checkpoint: { height, cid: chain.epochs[height - 1]!.cid },
    now,
    verify: verifyBytes,
  })

  it('says what an epoch says, and that the genesis was enough to believe it', async () => {
    const { trust, name, mesh, cid, path, header, signedPower, totalPower, signers } = verifyExport(
      await buildExport(chain, 7),
      genesis,
    )
    assert.deepEqual({ trust, name, mesh, path }, { trust: 'genesis', name: 'lights', mesh: chain.mesh, path: [0, 7] })
    assert.deepEqual({ header, cid }, { header: chain.epochs[6]!.header, cid: chain.epochs[6]!.cid })
    assert.deepEqual([signedPower, totalPower, signers.length], [400, 400, 4])
  })

  it('goes to the last epoch before a change of the whole set, which names the new one, and says so', async () => {
    const { path } = verifyExport(await buildExport(chain, 20), genesis)
    assert.deepEqual(path, [0, 9, 20])
  })

  it('says the same in plain TypeScript, without OpenSSL', async () => {
    const { path } = verifyExport(await buildExport(chain, 20), { mesh: chain.mesh, now })
    assert.deepEqual(path, [0, 9, 20])
  })

  it('begins at a checkpoint, wherever the path passes it, and says so', async () => {
    const file = await buildExport(chain, 20)
    const { trust, path } = verifyExport(file, checkpointAt(9))
    assert.deepEqual({ trust, path }, { trust: 'checkpoint', path: [9, 20] })
    const from15 = await buildExport(chain, 20, 15)
    assert.deepEqual(verifyExport(from15, checkpointAt(15)).path, [15, 20])
    assert.deepEqual(verifyExport(await buildExport(chain, 20, 20), checkpointAt(20)).path, [20])
  })

  it('trusts no genesis for being in the file', async () => {
    const error = assertRefused(() => verifyExport(bytes, { now }), 'E_LIGHT_UNTRUSTED', /nothing but the file says/)
    assert.match(error.hint!, /--genesis/)
    assertRefused(() => verifyExport(bytes, { ...genesis, mesh: cidOf(lightGenesis(8)) }), 'E_LIGHT_MESH')
  })

  describe('of a chain that keys of the past wrote', () => {
    /** What two thirds of the founders could sign at any time after they left. */
    const forged = new LightChain(() => FOUNDERS, 20)
    const epoch = (height: number) =>
      forged.make(height, {
        previous: chain.epochs[height - 2]!.cid,
        time: CREATED + height * EPOCH_MS,
        t: [1, 1],
      })
    const fileOf = (height: number, path: ExportBytes['path'] = []): Uint8Array =>
      encodeExport({
        genesis: chain.genesis,
        path,
        epoch: epoch(height).block,
        validators: forgedSet,
        certificate: encodeCertificate(epoch(height).certificate),
        state: null,
      })
    const forgedSet = forged.keep(setOf(...FOUNDERS))

    it('refuses it along the chain: the epoch before names other validators', async () => {
      const { path } = decodeExport(await buildExport(chain, 10))
      assert.lengthOf(path, 1)
      assertRefused(() => verifyExport(fileOf(10, path), genesis), 'E_LIGHT_CHAIN', /validators are not those/)
    })

    it('refuses it farther ahead: nobody of those known by then signed it', async () => {
      const { path } = decodeExport(await buildExport(chain, 20))
      assertRefused(() => verifyExport(fileOf(15, path), genesis), 'E_LIGHT_OVERLAP', /0 of 400 of the power/)
    })

    it('refuses it with a checkpoint after the change, before, at and behind the forged epoch', async () => {
      const { path } = decodeExport(await buildExport(chain, 20, 10))
      assertRefused(() => verifyExport(fileOf(15, path), checkpointAt(10)), 'E_LIGHT_OVERLAP')
      assertRefused(() => verifyExport(fileOf(15, path), checkpointAt(15)), 'E_LIGHT_CHECKPOINT', /the checkpoint says/)
      assertRefused(
        () => verifyExport(fileOf(15, path), checkpointAt(18)),
        'E_LIGHT_CHECKPOINT',
        /before the checkpoint/,
      )
    })
  })

  it('refuses a path that does not pass the checkpoint', async () => {
    const file = await buildExport(chain, 20)
    const error = assertRefused(() => verifyExport(file, checkpointAt(12)), 'E_LIGHT_CHECKPOINT', /does not pass/)
    assert.match(error.hint!, /export 20 --from 12/)
  })

  it('refuses a skip that a third of the known power signed, and takes it from more than a third', () => {
    // Of the four known at epoch 1, one and two go on into a set of three that all sign.
    for (const [going, isEnough] of [
      [[0], false],
      [[0, 1], true],
    ] as const) {
      const next = [...going, 8, 9].slice(0, 3)
      const skipping = new LightChain((height) => (height < 3 ? FOUNDERS : next), 5)
      const file = direct(skipping, 5)
      const verify = () => verifyExport(file, { ...genesis, mesh: skipping.mesh })
      if (isEnough) assert.deepEqual(verify().path, [0, 5])
      else assertRefused(verify, 'E_LIGHT_OVERLAP', /720720 of 2882880 of the power/)
    }
  })

  it('refuses a set or a certificate that is not the epoch’s own', () => {
    const file = decodeExport(bytes)
    const [eighth, seventh] = [chain.epochs[7]!, chain.epochs[6]!]
    const set = chain.keep(setOf(0, 1, 2))
    assertRefused(() => verifyExport(encodeExport({ ...file, validators: set }), genesis), 'E_LIGHT_CHAIN', /set/)
    for (const certificate of [
      eighth.certificate,
      { ...seventh.certificate, value: eighth.cid },
      { ...seventh.certificate, height: 8 },
    ]) {
      const other = encodeExport({ ...file, certificate: encodeCertificate(certificate) })
      assertRefused(() => verifyExport(other, genesis), 'E_LIGHT_CERTIFICATE', /is of another/)
    }
    const short = certify(chain.mesh, seventh.certificate, [0, 1])
    const other = encodeExport({ ...file, certificate: encodeCertificate(short) })
    assertRefused(() => verifyExport(other, genesis), 'E_LIGHT_CERTIFICATE', /more than two thirds/)
  })

  it('refuses lists and a state that are not those of the header', () => {
    const file = decodeExport(bytes)
    const [header, ...lists] = dagCbor.decode<Uint8Array[]>(file.epoch)
    for (let i = 0; i < 5; i++) {
      const epoch = dagCbor.encode([header, ...lists.with(i, dagCbor.encode([Uint8Array.of(1)]))])
      assertRefused(() => verifyExport(encodeExport({ ...file, epoch }), genesis), 'E_LIGHT_CHAIN', /were decided on/)
    }
    const state = Uint8Array.of(1, 2, 3)
    assertRefused(() => verifyExport(encodeExport({ ...file, state }), genesis), 'E_LIGHT_CHAIN', /state/)
    assert.deepEqual(verifyExport(encodeExport({ ...file, state: null }), genesis).path, [0, 7])
  })

  it('refuses an epoch ahead of the clock by more than clocks may differ', () => {
    const time = CREATED + 7 * EPOCH_MS
    assert.deepEqual(verifyExport(bytes, { ...genesis, now: time - MAX_CLOCK_AHEAD_MS }).path, [0, 7])
    for (const trust of [genesis, checkpointAt(7)]) {
      const early = { ...trust, now: time - MAX_CLOCK_AHEAD_MS - 1 }
      assertRefused(() => verifyExport(bytes, early), 'E_LIGHT_CLOCK', /10 s ahead of the clock/)
    }
  })

  it('refuses a way from what is older than keys are trusted, and says that a checkpoint is needed', async () => {
    const late = CREATED + DEFAULT_TRUSTING_MS
    const file = await buildExport(chain, 20)
    assert.deepEqual(verifyExport(file, { ...genesis, now: late }).path, [0, 9, 20])
    const error = assertRefused(
      () => verifyExport(file, { ...genesis, now: late + 1 }),
      'E_LIGHT_TRUST_EXPIRED',
      /genesis/,
    )
    assert.match(error.hint!, /HEIGHT:CID/)
    const after = late + 9 * EPOCH_MS
    assert.deepEqual(verifyExport(file, { ...checkpointAt(9), now: after }).path, [9, 20])
    const tooLate = { ...checkpointAt(9), now: after + 1 }
    assertRefused(() => verifyExport(file, tooLate), 'E_LIGHT_TRUST_EXPIRED', /epoch 9/)
    assertRefused(() => verifyExport(file, { ...genesis, trustingMs: 1000 }), 'E_LIGHT_TRUST_EXPIRED')
  })

  it('takes the very epoch that a checkpoint names, however old it is', () => {
    assert.deepEqual(verifyExport(bytes, { ...checkpointAt(7), now: now + 100 * DEFAULT_TRUSTING_MS }).path, [7])
  })

  it('refuses an epoch whose time does not come after the one that it is trusted by', () => {
    const still = new LightChain(() => FOUNDERS, 2)
    const third = still.make(3, { time: CREATED + 2 * EPOCH_MS })
    still.epochs.push(third)
    const from2 = { checkpoint: { height: 2, cid: still.epochs[1]!.cid }, now, verify: verifyBytes }
    const file = direct(still, 3, 2)
    assertRefused(() => verifyExport(file, from2), 'E_LIGHT_CHAIN', /in height and in time/)
  })

  it('refuses an epoch of another mesh, whoever signed it', () => {
    const other = cidOf(lightGenesis(...OTHERS))
    const foreign = new LightChain(() => FOUNDERS, 1)
    foreign.epochs.push(foreign.make(2, { mesh: other }))
    const file = direct(foreign, 2)
    assertRefused(() => verifyExport(file, { ...genesis, mesh: foreign.mesh }), 'E_LIGHT_MESH')
    const checkpoint = { height: 2, cid: foreign.epochs[1]!.cid }
    assertRefused(() => verifyExport(file, { now, checkpoint }), 'E_LIGHT_MESH')
  })

  /** Without a path, or with the one epoch `from` in it, whether that is enough or not. */
  function direct(of: LightChain, height: number, from?: number): Uint8Array {
    const partsAt = (at: number) => {
      const { header, certificate, block } = of.epochs[at - 1]!
      return {
        header: headerCodec.encode(header),
        validators: of.keep(of.setAt(at)),
        next: of.keep(of.setAt(at + 1)),
        certificate: encodeCertificate(certificate),
        epoch: block,
      }
    }
    const path = from === undefined ? [] : [partsAt(from)]
    return encodeExport({ genesis: of.genesis, path, ...partsAt(height), state: null })
  }

  let bytes: Uint8Array
  before(async () => {
    bytes = await buildExport(chain, 7)
  })
})
