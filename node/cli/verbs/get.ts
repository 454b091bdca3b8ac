import { createClient } from '../client.ts'
import { createWhole, extractTar, writeNew } from '../extract.ts'
import { examples, type Register } from '../program.ts'
import { createProgress } from '../progress.ts'

export const register: Register = (program, io) => {
  const command = program
    .command('get <cid>')
    .description('write a file or a directory to disk; CID or CID/path')
    .option('-o, --output <path>', 'where; by default its name, here')
    .option('--car', 'as one CAR file, with every block')
    .action(async (path: string, { output, car }: { output?: string; car?: true }) => {
      const target = output ?? nameOf(path, car)
      const progress = createProgress(io, 'received')
      const chunks = progress.count(createClient(io).bytes('/get', { path, car }))
      await createWhole(target, (place) => (car === undefined ? extractTar(chunks, place) : writeNew(place, chunks)))
      progress.clear()
      await io.document({ path, output: target }, () => `saved to ${target}`)
    })
  const cid = 'bafkreifzjut3te7nhyekklss27nh3k72ysco7y32koao5eei66wof36n5e'
  examples(command, `kairos get ${cid} -o docs`, `kairos get ${cid} --car -o docs.car`)
}

function nameOf(path: string, car: true | undefined): string {
  const name = path.replace(/\/+$/, '').split('/').at(-1) || path
  return car === undefined ? name : `${name}.car`
}
