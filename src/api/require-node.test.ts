import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { requireNode } from './require-node.ts'

const root = join(import.meta.dirname, '../..')
const ofVersion = (version: string) => () => requireNode({ version, execPath: '/usr/bin/node' })

test.each(['v18.20.8', 'v20.20.2', 'v22.17.9', 'unknown'])('Node %s is refused by its version and path', (version) => {
  expect(ofVersion(version)).toThrow(`testfleet needs Node.js 22.18 or newer; this is ${version} (/usr/bin/node)`)
})

test.each(['v22.18.0', 'v22.23.3', 'v23.0.0', 'v24.21.0', 'v26.0.0-nightly'])('Node %s is accepted', (version) => {
  expect(ofVersion(version)).not.toThrow()
})

test('the library and the command require the Node of package.json', async () => {
  const [packageFile, launcher] = await Promise.all(
    ['package.json', 'tools/build/launcher.cjs'].map((file) => readFile(join(root, file), 'utf8')),
  )
  const version = String(JSON.parse(String(packageFile)).engines.node).replace('>=', '')
  expect(launcher).toContain(`needs Node.js ${version} or newer`)
  expect(ofVersion('v0.0.0')).toThrow(`needs Node.js ${version} or newer`)
})

test('the library requires its Node before it loads anything else', async () => {
  const [first] = (await readFile(join(root, 'src/index.ts'), 'utf8')).match(/^(?:import|export) .*$/m) ?? []
  expect(first).toBe("import './api/require-node.ts'")
})
