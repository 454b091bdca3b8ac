import { expect } from 'chai'
import { execFileSync, spawnSync } from 'node:child_process'
import type { Command } from 'commander'
import { completionScript, SHELLS } from '../../../node/cli/completion.ts'
import { createWholeProgram } from '../../helpers/whole-program.ts'
import { memoryIo } from '../../helpers/memory-io.ts'

const has = (shell: string) => spawnSync(shell, ['--version']).status === 0

describe('completion', () => {
  let program: Command
  before(async () => {
    program = await createWholeProgram(memoryIo())
  })

  /** What bash offers behind these words, the last of which is being typed. */
  function offered(...words: string[]): string[] {
    const script = `${completionScript(program, 'bash')}
      COMP_WORDS=(kairos ${words.map((word) => `'${word}'`).join(' ')}); COMP_CWORD=${words.length}; _kairos
      printf '%s\\n' "\${COMPREPLY[@]}"`
    return execFileSync('bash', ['--norc'], { input: script, encoding: 'utf8' }).trim().split('\n')
  }

  it('in bash knows every verb', () => {
    expect(offered('')).to.include.members(program.commands.map((command) => command.name()))
  })

  it('in bash knows what follows a verb, also behind flags', () => {
    expect(offered('sta')).to.deep.equal(['status', 'stat', 'state'])
    expect(offered('peers', 'p')).to.deep.equal(['ping'])
    expect(offered('--json', 'config', 's')).to.deep.equal(['show', 'set'])
    expect(offered('pin', 'u')).to.deep.equal(['update'])
    expect(offered('pin', 'add', '--wait-')).to.deep.equal(['--wait-limit', '--wait-timeout'])
    expect(offered('add', '--rec')).to.deep.equal(['--recursive'])
    expect(offered('status', '--path', '/tmp', '--wa')).to.deep.equal(['--watch'])
  })

  for (const shell of SHELLS)
    it(`in ${shell} is a script without a syntax error${has(shell) ? '' : ` (${shell} is not here: only its quotes are checked)`}`, () => {
      const script = completionScript(program, shell)
      if (has(shell)) execFileSync(shell, ['-n'], { input: script })
      expect(script.replaceAll("'\\''", '').split("'").length % 2).to.equal(1)
      for (const command of program.commands) expect(script).to.contain(command.name())
    })
})
