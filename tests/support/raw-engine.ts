import { request } from 'node:http'
import { withEngine } from './command.ts'

/** The engine's API as it is, for what the port has no verb for. Only over a Unix socket. */
export async function askEngine(method: 'GET' | 'POST' | 'DELETE', path: string, body?: object): Promise<unknown> {
  const socketPath = await withEngine(async ({ location }) => new URL(location.url).pathname)
  return new Promise((resolve, reject) => {
    const headers = body === undefined ? {} : { 'Content-Type': 'application/json' }
    request({ socketPath, method, path, headers }, (response) => {
      let text = ''
      response.setEncoding('utf8')
      response.on('data', (chunk: string) => {
        text += chunk
      })
      response.once('end', () => {
        if ((response.statusCode ?? 500) < 400) resolve(text === '' ? undefined : JSON.parse(text))
        else reject(new Error(`${method} ${path}: ${response.statusCode} ${text}`))
      })
    })
      .once('error', reject)
      .end(body === undefined ? undefined : JSON.stringify(body))
  })
}

/** The layers of an image, the lowest first. */
export async function layersOf(image: string): Promise<readonly string[]> {
  const { RootFS } = (await askEngine('GET', `/images/${image}/json`)) as { RootFS: { Layers: string[] } }
  return RootFS.Layers
}

export async function hasImage(reference: string): Promise<boolean> {
  return withEngine(async (engine) => (await engine.inspectImage(reference)) !== undefined)
}
