import { createClient } from '../client.ts'
import { countArgument, examples, type Register } from '../program.ts'

export const register: Register = (program, io) => {
  const command = program
    .command('cat <cid>')
    .description('write a file to stdout; CID or CID/path')
    .option('--offset <bytes>', 'start here', countArgument(0))
    .option('-l, --length <bytes>', 'at most this many', countArgument(0))
    .action(async (path: string, range: { offset?: number; length?: number }) => {
      for await (const chunk of createClient(io).bytes('/cat', { path, ...range })) await io.write(chunk)
    })
  examples(command, 'kairos cat bafkreifzjut3te7nhyekklss27nh3k72ysco7y32koao5eei66wof36n5e')
}
