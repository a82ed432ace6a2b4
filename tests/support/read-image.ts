import { request } from 'node:http'
import { withEngine } from './command.ts'

/** Everything that an image consists of, as the engine saves it: its layers, its configuration and its history. */
export async function readImage(reference: string): Promise<Buffer> {
  const socketPath = await withEngine(async ({ location }) => new URL(location.url).pathname)
  return new Promise((resolve, reject) => {
    request({ socketPath, path: `/images/${reference}/get` }, (response) => {
      const chunks: Buffer[] = []
      response.on('data', (chunk: Buffer) => chunks.push(chunk))
      response.once('error', reject)
      response.once('end', () => {
        if (response.statusCode === 200) resolve(Buffer.concat(chunks))
        else reject(new Error(`${reference}: ${response.statusCode}`))
      })
    })
      .once('error', reject)
      .end()
  })
}
