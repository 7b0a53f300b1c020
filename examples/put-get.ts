/**
 * A client in ten lines: stores a file through the daemon of a home and reads it back.
 *
 *   node examples/put-get.ts /tmp/net/client-1 photo.jpg /photos/cat.jpg copy.jpg
 */
import { createReadStream, createWriteStream } from 'node:fs'
import { pipeline } from 'node:stream/promises'
import { createClient } from '../src/index.ts'

const [home, file, path, copy] = process.argv.slice(2)
if (home === undefined || file === undefined || path === undefined || copy === undefined) {
  process.stderr.write('usage: node examples/put-get.ts HOME FILE PATH COPY\n')
  process.exit(2)
}

const client = createClient({ home })
const stored = await client.put({ path, source: createReadStream(file), force: true })
console.log(`stored ${stored.bytes} bytes as ${stored.pieces.length} pieces (${stored.profile})`)

const object = await client.get({ path })
await pipeline(object.body, createWriteStream(copy))
console.log(`read ${object.bytes} bytes into ${copy}`, object.failed())
