import { PassThrough, Writable } from 'node:stream'
import { createIo, type Io } from '../../node/cli/io.ts'

/** A terminal that is not one: what the program writes is kept. */
export function memoryIo(): Io & { written(): string } {
  let text = ''
  const sink = () =>
    new Writable({
      write(chunk, _encoding, done) {
        text += String(chunk)
        done()
      },
    })
  const streams = { stdin: new PassThrough(), stdout: sink(), stderr: sink(), env: {} }
  const io = createIo(streams, () => ({ progress: true }), new AbortController().signal)
  return Object.assign(io, { written: () => text })
}
