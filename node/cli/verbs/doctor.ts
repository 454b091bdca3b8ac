import { EXIT } from '../../error-table.ts'
import type { Finding } from '../../operations.ts'
import { examples, type Register } from '../program.ts'
import { printable } from '../text.ts'

export const register: Register = (program, io) => {
  const command = program
    .command('doctor')
    .description('check this node, running or not; each finding with its remedy; exit code 5 when something is wrong')
    .option('--bundle <file>', 'also write a report for whoever helps, without secrets')
    .action(async ({ bundle }: { bundle?: string }) => {
      const [{ examine }, { writeBundle }] = await Promise.all([
        import('../doctor/examine.ts'),
        import('../doctor/bundle.ts'),
      ])
      const findings = await examine(io)
      if (bundle !== undefined) {
        await writeBundle(io, bundle, findings)
        io.note(`wrote ${bundle}`)
      }
      const healthy = findings.every(({ ok }) => ok)
      io.exitCode = healthy ? EXIT.ok : EXIT.unhealthy
      await io.document({ healthy, findings }, () => findings.map(describe).join(''))
    })
  examples(command, 'kairos doctor', 'kairos doctor --bundle report.json')
}

function describe({ check, ok, message, remedy }: Finding): string {
  const advice = remedy === undefined ? '' : `      ${printable(remedy)}\n`
  const verdict = ok ? (remedy === undefined ? 'ok  ' : 'WARN') : 'BAD '
  return `${verdict}  ${check}: ${printable(message)}\n${advice}`
}
