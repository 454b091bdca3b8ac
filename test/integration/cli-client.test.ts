import { expect } from 'chai'
import { once } from 'node:events'
import { createServer, type IncomingHttpHeaders } from 'node:http'
import type { AddressInfo } from 'node:net'
import { kairos, type Ended } from '../helpers/kairos.ts'
import { fakeNode, temporaryDirectory } from '../helpers/node-directory.ts'
import { TOKEN } from '../helpers/start-api.ts'

const codeOf = ({ code, stderr }: Ended) => [code, (JSON.parse(stderr) as { error: { code: string } }).error.code]

describe('command line: the node that is asked', function () {
  this.timeout(30_000)
  const cleanups: (() => Promise<void>)[] = []
  afterEach(async () => {
    for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
  })
  const node = async () => {
    const started = await fakeNode()
    cleanups.push(started.stop)
    return started
  }
  const directory = async () => {
    const made = await temporaryDirectory()
    cleanups.push(made.remove)
    return made.path
  }

  it('sends the token of its own node to that node only', async () => {
    const own = await node()
    const other = await node()
    const asked: IncomingHttpHeaders[] = []
    const server = createServer((request, response) => {
      asked.push(request.headers)
      response.end()
    })
    await once(server.listen(0, '127.0.0.1'), 'listening')
    cleanups.push(async () => void server.close())
    const { port } = server.address() as AddressInfo
    const { path } = own
    const env = { KAIROS_API: `http://127.0.0.1:${port}` }
    const refused = await kairos(['id', '--json', '--path', path], { env })
    expect([codeOf(refused), asked]).to.deep.equal([[8, 'E_TOKEN_NEEDED'], []])
    const nowhere = await kairos(['id', '--json', '--path', await directory()], { env })
    expect(codeOf(nowhere)).to.deep.equal([8, 'E_TOKEN_NEEDED'])
    expect((await kairos(['id', '--path', path, '--api', `${own.url}/`])).code).to.equal(0)
    expect((await kairos(['id', '--path', path, '--api', other.url, '--token', TOKEN])).code).to.equal(0)
  })

  it('waits for as long as a timer can when told to wait longer', async () => {
    const { path } = await node()
    const { code, stderr } = await kairos(['id', '--timeout', '30d', '--path', path])
    expect([code, stderr]).to.deep.equal([0, ''])
  })
})
