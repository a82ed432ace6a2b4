import { createServer } from 'node:http'
import { connect } from 'node:net'

/** Sends commands to the Redis server of REDIS_URL, and resolves with the last line of its answers. */
function redis(...commands) {
  const { hostname, port, username, password } = new URL(process.env.REDIS_URL ?? '')
  const login = `AUTH ${username} ${password}\r\n`
  return new Promise((resolve, reject) => {
    let text = ''
    const socket = connect(Number(port), hostname, () => socket.write(`${login}${commands.join('\r\n')}\r\n`))
    socket.on('error', reject).on('data', (data) => {
      text += data
      const lines = text.trimEnd().split('\r\n')
      if (!text.endsWith('\r\n') || lines.length <= commands.length) return
      socket.end()
      resolve(lines.at(-1))
    })
  })
}

const server = createServer(async (request, response) => {
  try {
    if (request.url === '/health') {
      await redis('PING')
      response.writeHead(204).end()
      return
    }
    const answer = await redis(`INCR visits:${encodeURIComponent(request.url ?? '')}`)
    console.log(`${request.method} ${request.url}`)
    response.end(answer?.slice(1))
  } catch (error) {
    response.writeHead(500).end(String(error))
  }
})

server.listen(Number(process.env.PORT), '127.0.0.1', () => console.log(`listening on ${process.env.PORT}`))
