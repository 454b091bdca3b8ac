import { Option, type Command } from 'commander'
import type { PinDocument, PinMode, PinStatusDocument } from '../../operations.ts'
import { createClient } from '../client.ts'
import type { Io } from '../io.ts'
import { pinText } from '../pin-text.ts'
import { examples } from '../program.ts'
import { listArgument, optionsOf, pinFlags, waitFlags, waitOf, type PinFlags, type WaitFlags } from './flags.ts'
import { showWaiting } from './waiting.ts'

const CID = 'bafkreifzjut3te7nhyekklss27nh3k72ysco7y32koao5eei66wof36n5e'
const OTHER = 'bafkreigh2akiscaildcqabsyg3dfr6chu3fgpregiymsck7e7aqa4s52zy'

interface AddFlags extends PinFlags, WaitFlags {
  name?: string
  mode?: PinMode
  origins?: string[]
  local?: true
}

export function registerAdd(pin: Command, io: Io): void {
  const command = pin
    .command('add <cid>')
    .description('agree that it is kept; CID or CID/path; one that is pinned already is changed')
    .option('--name <name>', 'for people; need not be unique')
    .addOption(new Option('--mode <mode>', 'with all below it, or its own block').choices(['recursive', 'direct']))
    .option('--origins <addresses>', 'multiaddresses of peers that have it, between commas', listArgument)
    .option('--local', 'of a light node: on this node alone, and not in its cell')
  waitFlags(pinFlags(command)).action((path: string, flags: AddFlags) => add(io, path, flags))
  examples(
    command,
    `kairos pin add ${CID} --name hello --replication 1`,
    `kairos pin add ${CID} --rmin 2 --rmax 3 --expire-in 30d --metadata team=sky --wait --wait-timeout 5m`,
  )
}

async function add(io: Io, path: string, flags: AddFlags): Promise<void> {
  const { name, mode, origins, local } = flags
  const request = { path, name, mode, origins, local, ...optionsOf(flags) }
  const wait = waitOf(flags)
  const client = createClient(io)
  if (wait === undefined) return told(io, await client.post('/pins/add', request))
  return showWaiting(io, client.postRows<PinStatusDocument>('/pins/add', { ...request, wait }))
}

export function registerRm(pin: Command, io: Io): void {
  const command = pin
    .command('rm <cid>')
    .description('agree that it is kept no more; its blocks go with the next `repo gc`')
    .action(async (path: string) => {
      const document = await createClient(io).post<PinDocument>('/pins/rm', { path })
      await io.document(document, () => (io.flags.quiet === undefined ? `unpinned ${document.cid}` : document.cid))
    })
  examples(command, `kairos pin rm ${CID}`)
}

export function registerUpdate(pin: Command, io: Io): void {
  const command = pin
    .command('update <from> <to>')
    .description('pin one as another is pinned, and unpin that one in the same step')
    .option('--keep', 'leave the first one pinned')
    .action(async (from: string, to: string, { keep }: { keep?: true }) =>
      told(io, await createClient(io).post('/pins/update', { from, to, keep })),
    )
  examples(command, `kairos pin update ${CID} ${OTHER}`, `kairos pin update ${CID} ${OTHER} --keep`)
}

async function told(io: Io, pin: PinDocument): Promise<void> {
  if (io.flags.quiet === undefined && io.flags.json === undefined)
    io.note('agreed; `kairos pin status` tells when it is held')
  await io.document(pin, () => (io.flags.quiet === undefined ? pinText(pin) : pin.cid))
}
