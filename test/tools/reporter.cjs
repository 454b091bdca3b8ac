const { reporters } = require('mocha')

/** mocha's own report, and one plain closing line that any reader of logs understands. */
module.exports = class Reporter extends reporters.Spec {
  epilogue() {
    super.epilogue()
    const { passes, failures, pending } = this.stats
    const skipped = pending === 0 ? '' : `, ${pending} skipped`
    process.stdout.write(`${passes} passed, ${failures} failed${skipped}\n`)
  }
}
