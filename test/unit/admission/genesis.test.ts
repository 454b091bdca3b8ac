import { expect } from 'chai'
import {
  createGenesis,
  founderOf,
  meshIdOf,
  parseGenesis,
  toleratedFaults,
  type Genesis,
} from '../../../protocols/admission/index.ts'
import { codeThrownBy, founderEntry, identity, mesh, NOW, type Identity } from './fixtures.ts'

const CELLS = ['alpha', 'beta', 'gamma', 'delta']

describe('admission: genesis', () => {
  let people: Identity[]

  before(async () => {
    people = await Promise.all(CELLS.map(() => identity()))
  })

  const four = (weights: number[], options = {}): Genesis =>
    createGenesis(
      people.map((person, i) => founderEntry(person, CELLS[i]!)),
      {
        name: 'test',
        created: NOW,
        operators: Object.fromEntries(CELLS.map((cell, i) => [cell, { weight: weights[i]! }])),
        ...options,
      },
    )

  it('gives the same mesh id whatever the order of the founders, and after a trip through text', () => {
    const entries = people.map((person, i) => founderEntry(person, CELLS[i]!))
    const one = createGenesis(entries, { name: 'test', created: NOW })
    const other = createGenesis(entries.toReversed(), { name: 'test', created: NOW })
    expect(meshIdOf(other)).to.equal(meshIdOf(one))
    expect(meshIdOf(parseGenesis(JSON.stringify(one, null, 2)))).to.equal(meshIdOf(one))
    expect(meshIdOf(one)).to.match(/^bafyrei[a-z2-7]{52}$/)
  })

  it('gives another mesh id for any other content', () => {
    const ids = [
      four([3, 3, 3, 3]),
      four([3, 3, 3, 2]),
      four([3, 3, 3, 3], { omega: 2 }),
      four([3, 3, 3, 3], { open: true }),
    ]
    expect(new Set(ids.map(meshIdOf)).size).to.equal(ids.length)
  })

  it('refuses an operator with a third of the weight or more once there are four', async () => {
    expect(await codeThrownBy(() => four([4, 3, 3, 2]))).to.equal('E_GENESIS_INVALID')
    expect(await codeThrownBy(() => four([4, 4, 3, 2]))).to.equal('none')
  })

  it('tolerates no liar with fewer than four operators, one of four, and heavy ones less', async () => {
    expect(toleratedFaults((await mesh()).genesis)).to.equal(0)
    expect(toleratedFaults(four([3, 3, 3, 3]))).to.equal(1)
    const seven = await Promise.all(Array.from({ length: 7 }, () => identity()))
    const founders = seven.map((person, i) => founderEntry(person, `cell-${i}`))
    expect(toleratedFaults(createGenesis(founders, { name: 'seven' }))).to.equal(2)
    const heavy = createGenesis(founders, { name: 'seven', operators: { 'cell-0': { weight: 2 } } })
    expect(toleratedFaults(heavy)).to.equal(1)
    const of = (...weights: number[]) => toleratedFaults({ operators: weights.map((weight) => ({ weight })) })
    expect([of(1), of(1, 1, 1), of(5, 1, 1, 1)]).to.deep.equal([0, 0, 0])
  })

  it('gives both rights to full founders and none to others', async () => {
    const light = await identity()
    const genesis = createGenesis(
      [founderEntry(people[0]!, 'alpha'), founderEntry(light, 'alpha', 'light', 'alpha-light')],
      { name: 'test' },
    )
    expect(founderOf(genesis, people[0]!.id)).to.deep.equal({
      peerId: people[0]!.id,
      name: 'alpha',
      cell: 'alpha',
      role: 'full',
      rights: ['issue', 'found'],
    })
    expect(founderOf(genesis, light.id)?.rights).to.deep.equal([])
    expect(founderOf(genesis, people[1]!.id)).to.equal(undefined)
  })

  const wrong: [string, (genesis: Genesis) => unknown, string?][] = [
    ['no operator', (g) => ({ ...g, operators: [] })],
    ['an unknown key', (g) => ({ ...g, extra: 1 })],
    ['another version', (g) => ({ ...g, version: 2 })],
    ['a weight of zero', (g) => withOperator(g, { weight: 0 })],
    ['a weight that is no integer', (g) => withOperator(g, { weight: 1.5 })],
    ['weights of 2^33', (g) => withOperator(g, { weight: 2 ** 33 - 1 })],
    ['two operators of one name', (g) => withOperator(g, { name: 'beta' })],
    ['two operators of one cell', (g) => withOperator(g, { cell: 'beta' })],
    ['a cell with capitals', (g) => withOperator(g, { cell: 'Alpha' })],
    ['one key twice', (g) => withFounder(g, { peerId: g.operators[1]!.founders[0]!.peerId })],
    ['one founder name twice', (g) => withFounder(g, { name: 'beta' })],
    ['an operator without a full node', (g) => withFounder(g, { role: 'light' })],
    ['an unknown role', (g) => withFounder(g, { role: 'king' })],
    ['a name with control characters', (g) => withFounder(g, { name: 'a\u001b[31m' })],
    ['ω of zero', (g) => ({ ...g, omega: 0 })],
    ['a threshold of one', (g) => ({ ...g, collapseThreshold: 1 })],
    ['a document that is no object', () => null],
    ['text that is no JSON', () => '{'],
    ['text without end', () => `{"a":"${'x'.repeat(200_000)}"}`],
    ['a key that is no peer id', (g) => withFounder(g, { peerId: 'x'.repeat(52) }), 'E_KEY_WEAK'],
    ['a small-order key', (g) => withFounder(g, { peerId: SMALL_ORDER_ID }), 'E_KEY_WEAK'],
  ]
  for (const [what, make, code = 'E_GENESIS_INVALID'] of wrong) {
    it(`refuses ${what}`, async () => {
      const { genesis } = await mesh()
      expect(await codeThrownBy(() => parseGenesis(make(genesis)))).to.equal(code)
    })
  }

  for (const entry of [null, 'alpha', {}, { peerId: 1, name: 'a', role: 'full', cell: 'a' }]) {
    it(`refuses ${JSON.stringify(entry)} for the entry of a founder`, async () => {
      const make = (): unknown => createGenesis([entry as never], { name: 'test' })
      expect(await codeThrownBy(make)).to.equal('E_GENESIS_INVALID')
    })
  }

  it('refuses an option for a cell that has no founder', async () => {
    expect(await codeThrownBy(() => four([1, 1, 1, 1], { operators: { omega: {} } }))).to.equal('E_GENESIS_INVALID')
  })
})

/** The peer id of the ed25519 identity point (order 1). */
const SMALL_ORDER_ID = '12D3KooW9tGaPdJo5jmCpadQ971nfiq4kLcQjeBPYTfutBTtckPH'

const withOperator = (genesis: Genesis, change: object): unknown => ({
  ...genesis,
  operators: genesis.operators.map((operator, i) => (i === 0 ? { ...operator, ...change } : operator)),
})

const withFounder = (genesis: Genesis, change: object): unknown =>
  withOperator(genesis, { founders: [{ ...genesis.operators[0]!.founders[0]!, ...change }] })
