import { expect } from 'chai'
import { spawn } from 'node:child_process'
import { cp, mkdir, readFile, symlink, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { BIN, cleanEnv, ROOT } from '../helpers/kairos.ts'
import { Stage } from '../helpers/processes.ts'

const MARKED = /<!-- tour:start -->\s*```sh\n([\s\S]*?)```\s*<!-- tour:end -->/

describe('the tour in README.md', function () {
  this.timeout(90_000)
  let stage: Stage
  before(async () => {
    stage = await Stage.open()
  })
  after(() => stage.close())

  it('runs as it stands there, in a fresh checkout, and stops what it started', async () => {
    const readme = join(ROOT, 'README.md')
    const script = MARKED.exec(await readFile(readme, 'utf8').catch(() => ''))?.[1]
    expect(script, 'README.md has a ```sh block between <!-- tour:start --> and <!-- tour:end -->').to.be.a('string')
    const checkout = stage.path('checkout')
    await mkdir(join(checkout, 'node_modules', '.bin'), { recursive: true })
    await cp(readme, join(checkout, 'README.md'))
    await writeFile(join(checkout, 'package.json'), '{"private":true}')
    await symlink(BIN, join(checkout, 'node_modules', '.bin', 'kairos'))
    const env = cleanEnv({ PATH: `${dirname(process.execPath)}:${process.env['PATH']}`, npm_config_offline: 'true' })
    const child = spawn('bash', ['-e', '-o', 'pipefail', '-c', `${script}\nwait`], {
      cwd: checkout,
      env,
      detached: true,
    })
    child.stdin.end()
    const { code, stdout, stderr } = await stage.watch(child).end
    expect(code, `${stdout}\n${stderr}`).to.equal(0)
    const lines = stdout.trim().split('\n')
    expect(lines.slice(-2), stdout).to.deep.equal(['stopped', 'stopped'])
    expect(lines, stdout).to.include('# Kairos')
    expect(stderr.match(/ready: /g), stderr).to.have.length(2)
  })
})
