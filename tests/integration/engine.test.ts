import { homedir } from 'node:os'
import { describeEngine } from '../../src/engine/conformance/describe-engine.ts'
import { connectDocker } from '../../src/engine/docker/connect.ts'
import { locateEngine } from '../../src/engine/docker/locate.ts'

const where = { environment: process.env, home: homedir() }
const location = await locateEngine({ ...where, platform: process.platform, uid: process.getuid?.() })

describeEngine("the machine's engine", async () => connectDocker(location, where), {
  image: 'debian:bookworm-slim',
  sharesLoopback: location.remoteHost === undefined,
})
