import { readFileSync } from 'node:fs'
import { connect } from 'node:net'

/**
 * The minimum time for starting servers: only the necessary calls, each as early as possible, all servers at once,
 * without checks or output. Called as `floor.js SOCKET up REQUEST` or `floor.js SOCKET down LABEL`; the latter prints
 * the number of removed containers and networks.
 */
const [socketPath, verb, subject = ''] = process.argv.slice(2)

// Loaded by name: an import of node:http loads undici, which takes as long as the rest of this process.
const http = process.getBuiltinModule('node:http')
const agent = new http.Agent({ keepAlive: true })

/** Request for `up`, as a JSON file. */
export interface FloorRequest {
  readonly image: string
  readonly command: readonly string[]
  /** Name of the network, and prefix of the containers' names. */
  readonly name: string
  readonly labels: Readonly<Record<string, string>>
  readonly count: number
}

if (verb === 'up') await up(JSON.parse(readFileSync(subject, 'utf8')))
else if (verb === 'down') process.stdout.write(String(await down(subject)))
else throw new Error(`unknown verb ${JSON.stringify(verb)}`)
agent.destroy()

async function up(request: FloorRequest): Promise<void> {
  await call('POST', '/networks/create', { Name: request.name, Driver: 'bridge', Labels: request.labels })
  await Promise.all(Array.from({ length: request.count }, (_, index) => startServer(`s${index + 1}`, request)))
}

async function startServer(server: string, request: FloorRequest): Promise<void> {
  const { Id } = await call<{ Id: string }>('POST', `/containers/create?name=${request.name}-${server}`, {
    Image: request.image,
    Cmd: request.command,
    Labels: request.labels,
    ExposedPorts: { '6379/tcp': {} },
    HostConfig: { NetworkMode: request.name, PortBindings: { '6379/tcp': [{ HostIp: '127.0.0.1', HostPort: '' }] } },
    NetworkingConfig: { EndpointsConfig: { [request.name]: { Aliases: [server] } } },
  })
  await call('POST', `/containers/${Id}/start`)
  const details = await call<{ NetworkSettings: { Ports: Record<string, { HostPort: string }[]> } }>(
    'GET',
    `/containers/${Id}/json`,
  )
  const port = Number(details.NetworkSettings.Ports['6379/tcp']?.[0]?.HostPort)
  const deadline = performance.now() + 60_000
  while (!(await answersPing(port))) {
    if (performance.now() > deadline) throw new Error(`${server} does not answer PING`)
    await new Promise((resolve) => setTimeout(resolve, 3))
  }
}

/** The userland proxy accepts every connection, so only +PONG counts as an answer. */
function answersPing(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port })
    const settle = (answers: boolean): void => {
      clearTimeout(timer)
      socket.destroy()
      resolve(answers)
    }
    const timer = setTimeout(() => settle(false), 100)
    socket.once('connect', () => socket.write('PING\r\n'))
    socket.once('data', (data) => settle(data.includes('+PONG')))
    socket.once('error', () => settle(false)).once('close', () => settle(false))
  })
}

/** Removes all containers and networks with the label, given as `key=value` or as the key alone. */
async function down(label: string): Promise<number> {
  const filters = encodeURIComponent(JSON.stringify({ label: [label] }))
  const [containers, networks] = await Promise.all([
    call<{ Id: string }[]>('GET', `/containers/json?all=true&filters=${filters}`),
    call<{ Id: string }[]>('GET', `/networks?filters=${filters}`),
  ])
  await Promise.all(containers.map(({ Id }) => call('DELETE', `/containers/${Id}?force=true&v=true`)))
  await Promise.all(networks.map(({ Id }) => call('DELETE', `/networks/${Id}`)))
  return containers.length + networks.length
}

/** Calls the engine with API 1.40, the oldest version that testfleet supports. */
function call<Result>(method: string, path: string, body?: object): Promise<Result> {
  const payload = body === undefined ? undefined : JSON.stringify(body)
  const headers = {
    host: 'localhost',
    ...(payload === undefined ? {} : { 'content-type': 'application/json', 'content-length': payload.length }),
  }
  return new Promise((resolve, reject) => {
    const request = http.request({ socketPath, agent, method, path: `/v1.40${path}`, headers }, (response) => {
      const chunks: Buffer[] = []
      response.on('data', (chunk: Buffer) => chunks.push(chunk))
      response.once('end', () => {
        const text = Buffer.concat(chunks).toString('utf8')
        if ((response.statusCode ?? 0) >= 300) reject(new Error(`${method} ${path}: ${response.statusCode} ${text}`))
        else resolve((text === '' ? undefined : JSON.parse(text)) as Result)
      })
    })
    request.once('error', reject).end(payload)
  })
}
