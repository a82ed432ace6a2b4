import { readFile } from 'node:fs/promises'
import { expect, test } from 'vitest'
import { VERSION } from './version.ts'

test('the version is the version of package.json', async () => {
  const text = await readFile(new URL('../package.json', import.meta.url), 'utf8')
  expect(JSON.parse(text).version).toBe(VERSION)
})

test.each([
  ['clients/cmake/TestfleetConfigVersion.cmake', /^set\(PACKAGE_VERSION (.*)\)$/m],
  ['clients/python/pyproject.toml', /^version = "(.*)"$/m],
  ['clients/junit/pom.xml', /<artifactId>testfleet-junit<\/artifactId>\s+<version>(.*)<\/version>/],
  ['clients/junit/README.md', /<artifactId>testfleet-junit<\/artifactId>\s+<version>(.*)<\/version>/],
  ['docs/junit.md', /<artifactId>testfleet-junit<\/artifactId>\s+<version>(.*)<\/version>/],
  ['examples/junit/pom.xml', /<artifactId>testfleet-junit<\/artifactId>\s+<version>(.*)<\/version>/],
])('%s has the version of the package', async (file, pattern) => {
  const text = await readFile(new URL(`../${file}`, import.meta.url), 'utf8')
  expect(pattern.exec(text)?.[1]).toBe(VERSION)
})
