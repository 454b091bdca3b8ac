import { writeFile } from 'node:fs/promises'
import { ERRORS, EXIT } from '../../node/error-table.ts'

/** The page of all error codes, from the table. `node test/tools/errors-page.ts` writes it. */
export function errorsPage(): string {
  const exits = Object.entries(EXIT).map(([name, code]) => `| ${code} | ${name} |`)
  const rows = Object.entries(ERRORS).map(
    ([code, { exit, status, meaning }]) => `| \`${code}\` | ${exit} | ${status} | ${meaning} |`,
  )
  return [
    '# Error codes',
    '',
    'Every error carries a code, a message and mostly a hint: on stderr (`--json` gives',
    '`{"error":{"code","message","hint"}}`), and as the body of an HTTP answer. Branch on the code.',
    '',
    '| exit code | meaning |',
    '| --- | --- |',
    ...exits,
    '',
    '| code | exit | HTTP | meaning |',
    '| --- | --- | --- | --- |',
    ...rows,
    '',
  ].join('\n')
}

if (import.meta.main) await writeFile(new URL('../../node/errors.md', import.meta.url), errorsPage())
