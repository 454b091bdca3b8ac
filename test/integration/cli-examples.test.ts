import { expect } from 'chai'
import type { Command } from 'commander'
import { execFile } from 'node:child_process'
import { cp, mkdir, symlink, writeFile } from 'node:fs/promises'
import { delimiter, dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { createWholeProgram } from '../helpers/whole-program.ts'
import { BIN, cleanEnv, kairos, ROOT } from '../helpers/kairos.ts'
import { memoryIo } from '../helpers/memory-io.ts'
import { fakeNode, temporaryDirectory, writeApi } from '../helpers/node-directory.ts'

const run = promisify(execFile)

/** Need a real node, ticket or epoch: `run.test.ts`, the tour in the README and `epoch-verify.test.ts` run them. */
const ELSEWHERE = ['kairos run', 'kairos join', 'kairos epoch verify']

interface Example {
  verb: string
  line: string
}

/** The examples in the help of a command and of all below it. */
function examplesOf(command: Command, path: string): Example[] {
  let help = ''
  command.configureOutput({ writeOut: (text) => (help += text) })
  command.outputHelp()
  const own = help.split('\nExamples:\n')[1] ?? ''
  const lines = [...own.matchAll(/^ {2}\$ (.+)$/gm)].map(([, line]) => ({ verb: path, line: line ?? '' }))
  return [...lines, ...command.commands.flatMap((inner) => examplesOf(inner, `${path} ${inner.name()}`))]
}

function pathsOf(command: Command, path: string): string[] {
  return command.commands.flatMap((inner) => [`${path} ${inner.name()}`, ...pathsOf(inner, `${path} ${inner.name()}`)])
}

const program = await createWholeProgram(memoryIo())
const examples = program.commands.flatMap((command) => examplesOf(command, `kairos ${command.name()}`))

describe('examples in the help', function () {
  this.timeout(30_000)
  let template: Awaited<ReturnType<typeof temporaryDirectory>>

  before(async () => {
    template = await temporaryDirectory()
    const { path } = template
    await kairos(['init', '--profile', 'test', '--path', join(path, 'node')])
    for (const [name, cell] of [
      ['alpha-1', 'alpha'],
      ['beta-1', 'beta'],
    ] as const) {
      const args = ['init', '--founder', '--name', name, '--cell', cell, '--path', join(path, name)]
      await writeFile(join(path, `${name}.json`), (await kairos(args)).stdout)
    }
    await mkdir(join(path, 'photos'))
    await writeFile(join(path, 'photos', 'one.jpg'), 'x')
    await writeFile(join(path, 'hello.txt'), 'hello')
    await symlink(join(ROOT, 'bootstrap'), join(path, 'bootstrap'))
    await mkdir(join(path, 'bin'))
    await symlink(BIN, join(path, 'bin', 'kairos'))
  })
  after(() => template.remove())

  it('are there for every verb', () => {
    const explained = new Set(examples.map(({ verb }) => verb))
    expect(pathsOf(program, 'kairos').filter((path) => !explained.has(path))).to.deep.equal([])
  })

  for (const { verb, line } of examples.filter(({ line }) => !ELSEWHERE.some((start) => line.startsWith(start))))
    it(`${verb}: ${line}`, async () => {
      const node = await fakeNode({ stop: () => void node.api.stop() })
      try {
        const work = join(node.path, 'work')
        await cp(template.path, work, { recursive: true, verbatimSymlinks: true })
        const home = line.startsWith('kairos init') ? join(work, 'fresh') : join(work, 'node')
        if (home.endsWith('node')) await writeApi(home, node.url)
        const PATH = [join(work, 'bin'), dirname(process.execPath), process.env['PATH']].join(delimiter)
        // The default port may be taken on this machine.
        const env = cleanEnv({ PATH, KAIROS_PATH: home, KAIROS_API_PORT: '0' })
        const { stdout } = await run('sh', ['-c', line], { cwd: work, env })
        if (!/ -o | --bundle /.test(line)) expect(stdout).not.to.equal('')
        if (line.includes('--json') && !/query|log tail|--all/.test(line)) JSON.parse(stdout)
      } finally {
        await node.stop()
      }
    })
})
