import { CodedError } from '../../protocols/shared/errors.ts'
import { EXIT } from '../error-table.ts'
import { runCommand } from './run-command.ts'

// `kairos ls … | head` ends here when head has seen enough.
process.stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? EXIT.ok : EXIT.io))

const interrupted = new AbortController()
const interrupt = () => interrupted.abort(new CodedError('E_INTERRUPTED', 'interrupted'))
process.once('SIGINT', interrupt)
const code = await runCommand(process.argv.slice(2), process, interrupted.signal)
process.off('SIGINT', interrupt)
// A write of nothing comes after all others: nothing printed is lost.
process.stdout.write('', () => process.exit(code))
