import type { StatDocument } from '../../operations.ts'
import { createClient } from '../client.ts'
import { examples, type Register } from '../program.ts'
import { humanSize, list } from '../text.ts'

export const register: Register = (program, io) => {
  const command = program
    .command('stat <cid>')
    .description('size and kind of what a CID names; CID or CID/path')
    .action(async (path: string) => {
      const document = await createClient(io).get<StatDocument>('/stat', { path })
      await io.document(document, () => describe(document))
    })
  examples(command, 'kairos stat bafkreifzjut3te7nhyekklss27nh3k72ysco7y32koao5eei66wof36n5e')
}

function describe({ cid, type, size, dagSize, blocks }: StatDocument): string {
  return list([
    ['cid', cid],
    ['type', type],
    ['size', `${humanSize(size)} (${size} bytes)`],
    ['stored', `${humanSize(dagSize)} in ${blocks} block${blocks === 1 ? '' : 's'}`],
  ])
}
