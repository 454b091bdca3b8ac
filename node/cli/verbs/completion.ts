import { Argument } from 'commander'
import { completionScript, SHELLS, type Shell } from '../completion.ts'
import { examples, type Register } from '../program.ts'

export const register: Register = (program, io) => {
  const command = program
    .command('completion')
    .description('a script that completes verbs and flags in a shell')
    .addArgument(new Argument('<shell>', 'which').choices(SHELLS))
    .action(async (shell: Shell) => {
      const [{ createProgram }, { VERBS }] = await Promise.all([import('../program.ts'), import('../verb-table.ts')])
      const whole = createProgram()
      for (const load of Object.values(VERBS)) await (await load()).register(whole, io)
      await io.write(completionScript(whole, shell))
    })
  examples(command, 'kairos completion bash', 'kairos completion zsh', 'kairos completion fish')
}
