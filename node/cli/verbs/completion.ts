import { Argument } from 'commander'
import { completionScript, SHELLS, type Shell } from '../completion.ts'
import { examples, type Register } from '../program.ts'

export const register: Register = (program, io) => {
  const command = program
    .command('completion')
    .description('a script that completes verbs and flags in a shell')
    .addArgument(new Argument('<shell>', 'which').choices(SHELLS))
    .action((shell: Shell) => io.write(completionScript(program, shell)))
  examples(command, 'kairos completion bash', 'kairos completion zsh', 'kairos completion fish')
}
