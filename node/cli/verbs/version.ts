import { version } from '../../version.ts'
import { examples, type Register } from '../program.ts'
import { list } from '../text.ts'

export const register: Register = (program, io) => {
  const command = program
    .command('version')
    .description('this program’s version')
    .action(async () => {
      const document = version()
      await io.document(document, () =>
        list([
          ['kairos', document.version],
          ['protocol', String(document.protocolVersion)],
          ['node', document.node],
          ['system', document.system],
        ]),
      )
    })
  examples(command, 'kairos version', 'kairos version --json')
}
