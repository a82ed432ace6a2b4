import { writeFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { TestfleetError } from '../model/failures.ts'
import { answer } from './answer.ts'
import type { Call } from './call.ts'

/** What `testfleet init` writes: a fleet that comes up as it is, with the next steps beside it. */
const starterFleet = `# A fleet of real test servers. Every key: testfleet schema
base:
  from: debian:bookworm-slim

servers:
  web:
    build:
      packages: [nginx-light]
      copy:
        - { content: "hello from testfleet\\n", to: /var/www/html/index.html }
    command: [nginx, -g, daemon off;]
    ports: [80]
    ready:
      - http: { port: 80, path: /, body: hello }
    export:
      WEB_URL: http://\${host}:\${port.80}/

  cache:
    build:
      packages: [redis-server]
    command: [redis-server, --bind, 0.0.0.0, --protected-mode, "no", --save, ""]
    ports: [6379]
    ready:
      - tcp: { port: 6379, send: "PING\\r\\n", expect: "+PONG" }

# Try it:
#   testfleet up                       start it, and print where it answers
#   testfleet run -- sh -c 'curl "$WEB_URL"'
#   testfleet down                     remove it
`

export async function run(call: Call): Promise<number> {
  const name = call.file ?? 'testfleet.yaml'
  const path = resolve(call.host.workingFolder, name)
  try {
    // `wx` makes the file or fails: there is no moment in which another one could be overwritten.
    await writeFile(path, starterFleet, { flag: 'wx' })
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    const why = code === 'EEXIST' ? 'is there already; nothing was changed' : `cannot be written: ${code}`
    throw new TestfleetError('USAGE', `${name} ${why}`, { cause: error, hint: 'Name another file with -f.' })
  }
  return answer(call, { file: path }, `wrote ${name}; next: testfleet up\n`)
}
