import { Argument, type Command } from 'commander'
import { createClient } from '../client.ts'
import type { Io } from '../io.ts'
import { examples, type Register } from '../program.ts'
import { printable, table } from '../text.ts'

type Line = Record<string, unknown>

export const register: Register = (program, io) => {
  const log = program.command('log').description('the log of the running node')
  examples(log, 'kairos log tail --no-follow', 'kairos log level debug kairos:network')
  registerTail(log, io)
  registerLevel(log, io)
}

function registerTail(log: Command, io: Io): void {
  const command = log
    .command('tail')
    .description('the last lines, then each new one until Ctrl-C')
    .option('--no-follow', 'only the last lines')
    .action(async ({ follow }: { follow: boolean }) => {
      const client = createClient(io)
      const lines = follow ? client.rows<Line>('/log/tail') : (await client.get<{ lines: Line[] }>('/log')).lines
      for await (const line of lines) await io.row(line, () => describe(line))
    })
  examples(command, 'kairos log tail --no-follow --json')
}

function registerLevel(log: Command, io: Io): void {
  const levels = ['trace', 'debug', 'info', 'warn', 'error', 'silent']
  const command = log
    .command('level')
    .description('set the lowest level that is logged, until the node stops')
    .addArgument(new Argument('<level>', 'lowest level').choices(levels))
    .argument('[component]', 'such as kairos:network; all unless told')
    .action(async (level: string, component?: string) => {
      const request = { level, ...(component === undefined ? {} : { component }) }
      const document = await createClient(io).post<{ levels: Record<string, string> }>('/log/level', request)
      await io.document(document, () => table(['COMPONENT', 'LEVEL'], Object.entries(document.levels)))
    })
  examples(command, 'kairos log level debug', 'kairos log level warn libp2p')
}

function describe({ time, level, component, msg, ...fields }: Line): string {
  const rest = Object.keys(fields).length === 0 ? '' : ` ${JSON.stringify(fields)}`
  return printable(`${String(time)} ${String(level)} ${String(component)}: ${String(msg)}${rest}`)
}
