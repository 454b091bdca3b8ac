import { expect } from 'chai'
import { checkName, parsePath } from '../../../node/content/path.ts'
import { codeThrown } from '../../helpers/content-node.ts'

const CID_TEXT = 'bafkreifzjut3te2nhyekklss27nh3k72ysco7y32koao5eei66wof36n5e'

describe('content paths', () => {
  it('are a CID and names, with or without /ipfs/', () => {
    for (const text of [`${CID_TEXT}/a/b c`, `/ipfs/${CID_TEXT}/a/b c/`, `ipfs/${CID_TEXT}//a/b c`]) {
      const { root, segments } = parsePath(text)
      expect([root.toString(), ...segments], text).to.deep.equal([CID_TEXT, 'a', 'b c'])
    }
  })

  it('refuse what is no CID', async () => {
    for (const text of ['', 'a/b', `${CID_TEXT}x/a`, '/etc/passwd']) {
      expect(await codeThrown(async () => parsePath(text)), text).to.equal('E_CID_INVALID')
    }
  })
})

describe('names from a directory', () => {
  it('may hold anything that is one step down', () => {
    for (const name of ['a', '.hidden', '..a', 'a b', 'ü', '^', '-rf', '~', 'CON'])
      expect(checkName(name)).to.equal(name)
  })

  it('may not lead out of it', async () => {
    for (const name of ['', '.', '..', 'a/b', '/', '../x', 'a\\b', 'a\0b']) {
      expect(await codeThrown(async () => checkName(name)), JSON.stringify(name)).to.equal('E_PATH_UNSAFE')
    }
  })
})
