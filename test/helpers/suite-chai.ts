import { expect as assert } from 'chai'

type Step = { key: PropertyKey } | { args: unknown[] }

/**
 * Chai's `expect` as the ecosystem's suites write it: `to.be.true()` beside `to.be.true`, and
 * `to.eventually` for promises. Beside our own chai, not in it: plugins would change it for all tests.
 */
export function expect(subject: unknown): unknown {
  return recorded([], (steps) => replay(subject, steps))
}

/** Words are asserted as they come; after `eventually`, when the chain is awaited. */
function recorded(steps: Step[], run: (steps: Step[]) => unknown): unknown {
  const isLater = steps.some((step) => 'key' in step && step.key === 'eventually')
  if (!isLater) run(steps)
  const more = (step: Step): unknown => recorded([...steps, step], run)
  return new Proxy(() => undefined, {
    get: (_, key) => (key === 'then' ? isLater && thenOf(run(steps) as Promise<void>) : more({ key })),
    apply: (_, _self, args: unknown[]) => more({ args }),
  })
}

function thenOf(asserted: Promise<void>): unknown {
  return asserted.then.bind(asserted)
}

function replay(subject: unknown, steps: Step[]): unknown {
  const at = steps.findIndex((step) => 'key' in step && step.key === 'eventually')
  if (at === -1) return void say(subject, steps)
  const words = [...steps.slice(0, at), ...steps.slice(at + 1)]
  const sound = words.filter((step) => !('key' in step && step.key === 'rejected'))
  if (sound.length === words.length) return Promise.resolve(subject).then((value) => say(value, words))
  const missing = (): never => assert.fail('expected a promise to be rejected')
  return Promise.resolve(subject).then(missing, (error: unknown) => say(error, sound))
}

function say(subject: unknown, steps: Step[]): void {
  let self: unknown
  let word: unknown = assert(subject)
  for (const step of steps) {
    if ('key' in step) [self, word] = [word, Reflect.get(word as object, step.key)]
    // `true()` has asserted as `true` already.
    else if (typeof word === 'function') word = Reflect.apply(word, self, step.args)
  }
}
