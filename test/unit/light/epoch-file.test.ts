import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { assert } from 'chai'
import { altered, CREATED, keysOf } from '../epoch/mesh.ts'
import { blockCodec } from '../../../consensus/epoch/block-codec.ts'
import { buildExport } from '../../../consensus/light/build-export.ts'
import { decodeExport, encodeExport } from '../../../consensus/light/file.ts'
import { cidText } from '../../../consensus/light/index.ts'
import { encodeCertificate } from '../../../consensus/light/wire.ts'
import { verifyEpochFile, type VerifiedEpoch } from '../../../node/epoch-file.ts'
import { exitCodeOf } from '../../../node/errors.ts'
import { genesisText } from '../../../node/network/membership-files.ts'
import { runVerb } from '../../helpers/run-verb.ts'
import { assertRefused } from '../../helpers/refused.ts'
import { genesisOf, TestRecord } from './record.ts'

const now = CREATED + 60_000

describe('an exported epoch of a real record', () => {
  const record = new TestRecord()
  while (record.state.height < 5) record.advance()
  const trust = { mesh: record.mesh, now }

  it('is recomputed from the reports and the state that it carries: T_global, median, decision and time', async () => {
    const { recomputed, trust: by, path, epoch } = verifyEpochFile(await buildExport(record, 5), trust)
    assert.deepEqual({ recomputed, by, path }, { recomputed: true, by: 'genesis', path: [0, 5] })
    assert.equal(epoch.reports, 8)
    assert.closeTo(epoch.t[0], 0.5, 1e-6)
    assert.sameMembers(
      epoch.certificate.signers.map(({ name }) => name),
      ['alpha', 'beta', 'gamma', 'delta'].flatMap((cell) => [`${cell}-1`, `${cell}-2`]),
    )
    assert.deepEqual([epoch.certificate.power, epoch.certificate.total], [4 * 720_720, 4 * 720_720])
  })

  it('rests on the word of its signers where the state before it is not in the file, and says so', async () => {
    const content = decodeExport(await buildExport(record, 5))
    assert.isFalse(verifyEpochFile(encodeExport({ ...content, state: null }), trust).recomputed)
    const first = decodeExport(await buildExport(record, 1))
    assert.isTrue(verifyEpochFile(encodeExport({ ...first, state: null }), trust).recomputed)
  })

  it('is refused when what it says does not follow from what is in it, though all have signed', async () => {
    const content = decodeExport(await buildExport(record, 5))
    const of = new TestRecord()
    while (of.state.height < 4) of.advance()
    const { block } = of.build()
    const lie = altered(block, { header: { t: [2 ** 29, 2 ** 29] } })
    const signed = {
      ...content,
      epoch: blockCodec.encode(lie),
      certificate: encodeCertificate(of.certify(lie.value)),
    }
    assertRefused(() => verifyEpochFile(encodeExport(signed), trust), 'E_LIGHT_CONTENT', /E_EPOCH_T/)
  })

  it('is verified over changes of the set that its own governance made, and not by keys of a set before', async () => {
    const changing = new TestRecord()
    changing.advance()
    const before = changing.validators
    const newcomers = changing.newCell('omega', 4)
    const members = keysOf(newcomers)
    changing.carry({ type: 'operator-set', name: 'omega', cell: 'omega', weight: 1, members })
    for (const cell of ['alpha', 'beta', 'gamma']) changing.carry({ type: 'operator-remove', cell })
    changing.advanceTo(changing.state.height + 4)
    const { height } = changing.state
    assert.deepEqual(changing.operator('omega').members, members)
    assert.isUndefined(changing.operator('alpha'))
    const by = { mesh: changing.mesh, now }
    const file = await buildExport(changing, height)
    const { path, recomputed } = verifyEpochFile(file, by)
    assert.isTrue(recomputed)
    assert.isAbove(path.length, 2)
    const content = decodeExport(file)
    const { value, round } = changing.certificate!
    const old = changing.certify(value, { signers: before, round })
    const forged = encodeExport({ ...content, certificate: encodeCertificate({ ...old, height }) })
    assertRefused(() => verifyEpochFile(forged, by), 'E_LIGHT_CERTIFICATE', /no validator of this height/)
  })

  describe('kairos epoch verify', () => {
    let folder: string
    let file: string
    const mesh = cidText(record.mesh)

    before(async () => {
      folder = await mkdtemp(join(tmpdir(), 'kairos-light-'))
      file = join(folder, 'epoch-5')
      await writeFile(file, await buildExport(record, 5))
      await writeFile(join(folder, 'genesis.json'), genesisText(genesisOf(record)))
    })

    after(() => rm(folder, { recursive: true }))

    const verify = (...args: string[]) =>
      runVerb({ url: 'http://127.0.0.1:9' }, ['epoch', 'verify', ...args], { flags: { path: join(folder, 'nobody') } })

    // The fixed chain is older than the word of its validators is worth today: only its own epoch needs no way.
    const checkpoint = `5:${cidText(record.state.head)}`

    it('says in words what was trusted, who signed and what the epoch says; nothing runs', async () => {
      const { code, stdout } = await verify(file, '--checkpoint', checkpoint)
      assert.isUndefined(code)
      for (const line of [
        /^valid: +yes$/m,
        new RegExp(`^trusted: +the checkpoint ${checkpoint}, of the mesh “test” \\(${mesh}\\)$`, 'm'),
        /^way: +none: the checkpoint is this epoch$/m,
        /^recomputed: +T_global, median, decision and time/m,
        /^Signed by 100.0 % of the power/m,
        /^T_global: /m,
      ]) {
        assert.match(stdout, line)
      }
    })

    it('says the same as JSON', async () => {
      const { stdout } = await runVerb(
        { url: 'http://127.0.0.1:9' },
        ['epoch', 'verify', file, '--checkpoint', checkpoint],
        {
          flags: { json: true },
        },
      )
      const { trust, mesh: of, recomputed, epoch } = JSON.parse(stdout) as VerifiedEpoch
      assert.deepEqual(
        { trust, of, recomputed },
        { trust: 'checkpoint', of: { id: mesh, name: 'test' }, recomputed: true },
      )
      assert.equal(epoch.height, 5)
    })

    it('takes the genesis as a file or as a mesh id', async () => {
      for (const genesis of [join(folder, 'genesis.json'), mesh]) {
        const { code } = await verify(file, '--genesis', genesis)
        assert.equal(code, 'E_LIGHT_TRUST_EXPIRED', genesis)
      }
      const other = cidText(record.state.head)
      assert.equal((await verify(file, '--genesis', other)).code, 'E_LIGHT_MESH')
    })

    it('ends with 4 for what is refused and with 3 for what is no exported epoch', async () => {
      const garbage = join(folder, 'garbage')
      await writeFile(garbage, 'no epoch')
      const wrong = `5:${mesh}`
      const ends = [
        [[file], 'E_LIGHT_UNTRUSTED', 4],
        [[file, '--genesis', mesh], 'E_LIGHT_TRUST_EXPIRED', 4],
        [[file, '--checkpoint', wrong], 'E_LIGHT_CHECKPOINT', 4],
        [[file, '--checkpoint', '5'], 'E_LIGHT_CHECKPOINT_TEXT', 3],
        [[garbage, '--genesis', mesh], 'E_LIGHT_FILE', 3],
        [[folder, '--genesis', mesh], 'E_LIGHT_FILE', 3],
      ] as const
      for (const [args, code, exit] of ends) {
        const run = await verify(...args)
        assert.deepEqual([run.code, exitCodeOf(run.code!)], [code, exit])
      }
    })
  })
})
