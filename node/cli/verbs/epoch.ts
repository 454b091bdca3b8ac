import type { Command } from 'commander'
import { CodedError } from '../../../protocols/shared/errors.ts'
import type { EpochDocument, EpochRow } from '../../operations.ts'
import { createClient } from '../client.ts'
import { epochsText, epochText } from '../epoch-text.ts'
import { createWhole, writeNew } from '../extract.ts'
import type { Io } from '../io.ts'
import { countArgument, defaultVerb, examples, type Register } from '../program.ts'
import { registerVerify } from './epoch-verify.ts'

export const register: Register = (program, io) => {
  const epoch = program.command('epoch').description('the mesh’s record: epochs that its validators have signed')
  examples(epoch, 'kairos epoch ls')
  registerLs(epoch, io)
  registerShow(epoch, io)
  registerExport(epoch, io)
  registerVerify(epoch, io)
}

function registerLs(epoch: Command, io: Io): void {
  const command = defaultVerb(epoch, 'ls')
    .description('list final epochs, the newest first')
    .option('--from <height>', 'from there upward', countArgument(1))
    .option('--limit <n>', 'how many, at most 1000', countArgument(1, 1000), 20)
    .action(async (flags: { from?: number; limit: number }) => {
      const shown: EpochRow[] = []
      for await (const row of createClient(io).rows<EpochRow>('/epochs', flags)) {
        shown.push(row)
        if (io.flags.json) await io.row(row, () => '')
      }
      if (!io.flags.json) await io.write(epochsText(shown))
      if (shown.length === 0)
        io.note(`no epoch${flags.from === undefined ? '' : ` from ${flags.from} on`} is final yet`)
    })
  examples(command, 'kairos epoch ls --limit 5', 'kairos epoch ls --from 1 --limit 5')
}

function registerShow(epoch: Command, io: Io): void {
  const command = epoch
    .command('show')
    .argument('[height]', 'its height, or latest', heightArgument)
    .description('one epoch: T_global, the reports that it comes from, and who signed; the newest unless told')
    .action(async (height?: number | 'latest') => {
      const document = await createClient(io).get<EpochDocument>('/epochs/show', { height })
      await io.document(document, () => epochText(document))
    })
  examples(command, 'kairos epoch show', 'kairos epoch show 7 --json')
}

function registerExport(epoch: Command, io: Io): void {
  const command = epoch
    .command('export')
    .argument('<height>', 'its height, or latest', heightArgument)
    .description('an epoch as a file that a stranger can verify, with all that this needs')
    .option('--from <height>', 'begin the way at this epoch, for who has a checkpoint of it', countArgument(1))
    .option('-o, --output <file>', 'where; stdout unless told, when that is no terminal')
    .action(async (height: number | 'latest', { from, output }: { from?: number; output?: string }) => {
      const chunks = createClient(io).bytes('/epochs/export', { height, from })
      if (output !== undefined) {
        await createWhole(output, (place) => writeNew(place, chunks))
        return io.document({ height, output }, () => `saved to ${output}`)
      }
      if (io.stdout.isTTY === true)
        throw new CodedError('E_USAGE', 'an epoch is no text for a terminal', { hint: 'name a file with -o FILE' })
      for await (const chunk of chunks) await io.write(chunk)
    })
  examples(command, 'kairos epoch export 7 -o epoch-7.kairos', 'kairos epoch export latest | wc -c')
}

function heightArgument(text: string): number | 'latest' {
  return text === 'latest' ? text : countArgument(1)(text)
}
