/**
 * Mocha 12 swallows unhandled rejections: the test passes, exit 0. Here they fail the test in which they surface. A
 * process that does not end after the last test says what keeps it alive.
 */
import process from 'node:process'

const rejections: unknown[] = []
process.on('unhandledRejection', reason => rejections.push(reason))

export const mochaHooks: Mocha.RootHookObject = {
  async afterEach() {
    await new Promise(resolve => setImmediate(resolve))
    const [first] = rejections.splice(0)
    if (first !== undefined) throw first instanceof Error ? first : new Error(String(first))
  },
  afterAll() {
    const timer = setTimeout(() => {
      console.error('still open after the tests:', process.getActiveResourcesInfo().join(', '))
      process.exit(1)
    }, 60_000)
    timer.unref()
  }
}
