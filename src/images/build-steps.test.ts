import { expect, test } from 'vitest'
import type { Engine } from '../engine/engine.ts'
import { buildSteps } from './build-steps.ts'
import { renderDockerfile, renderSteps } from './render-dockerfile.ts'

const at = ['servers', 'a', 'build']
const steps = { packages: ['tree'], environment: new Map([['A', 'b']]), copy: [], run: ['true'] }
const from = { title: 'from base:1', at }
const content = { kind: 'steps', base: 'base:1', from, ...renderSteps(steps, at), copies: [] } as const
const image = { tags: ['x:1'], labels: {}, unfinished: 'x:1-a', change: 'a', platform: undefined }

async function dockerfileFor(hasCacheMounts: boolean): Promise<string> {
  const built: string[] = []
  const engine = { hasCacheMounts: async () => hasCacheMounts } as Pick<Engine, 'hasCacheMounts'> as Engine
  await buildSteps(content, image, engine, async ({ dockerfile }) => void built.push(dockerfile.text), {})
  return built.join()
}

test('packages are installed with a cache exactly when the engine has cache mounts', async () => {
  expect(await dockerfileFor(false)).toBe(renderDockerfile(content))
  const plain = content.before.lines.at(-1) ?? ''
  const caching = content.before.cachingLines?.at(-1) ?? ''
  expect(await dockerfileFor(true)).toBe(renderDockerfile(content).replace(plain, () => caching))
})
