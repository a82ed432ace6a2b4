import { expect, test } from 'vitest'
import { isContainerNameTaken, readDialect } from './dialect.ts'

const docker = readDialect({ 'api-version': '1.41', ostype: 'linux' })
const podman = readDialect({ 'api-version': '1.41', 'libpod-api-version': '4.3.1' })

test('the product is recognized by its headers', () => {
  expect(docker?.product).toBe('Docker Engine')
  expect(podman?.product).toBe('Podman Engine')
  expect(readDialect({})).toBeUndefined()
})

test.each([
  ['docker.io/library/debian:12', 'debian:12'],
  ['docker.io/me/app:1', 'me/app:1'],
  ['localhost/testfleet/web:1', 'testfleet/web:1'],
  ['ghcr.io/me/app:1', 'ghcr.io/me/app:1'],
])("Podman's name %s is shown as %s, and Docker's names are unchanged", (name, familiar) => {
  expect(podman?.familiarName(name)).toBe(familiar)
  expect(docker?.familiarName(name)).toBe(name)
})

test('a terminal starts with its size since API 1.42, and never on Podman', () => {
  expect(docker?.startsTerminalSized).toBe(false)
  expect(readDialect({ 'api-version': '1.42' })?.startsTerminalSized).toBe(true)
  expect(readDialect({ 'api-version': '1.44', 'libpod-api-version': '5.8.6' })?.startsTerminalSized).toBe(false)
})

test.each([
  ['Docker', 409, 'Conflict. The container name "/x" is already in use by container "1f"'],
  ['Podman 4.3', 500, 'creating container storage: the container name "x" is already in use by 1f'],
  ['Podman 5.8', 500, 'renaming container: UNIQUE constraint failed: ContainerConfig.Name'],
])('a taken name is recognized in the message of %s', (_, status, words) => {
  expect(isContainerNameTaken({ status, words })).toBe(true)
})

test.each([
  ['20.10', { 'api-version': '1.41' }, true],
  ['28', { 'api-version': '1.51', 'builder-version': '2' }, true],
  ['28 with the classic builder', { 'api-version': '1.51', 'builder-version': '1' }, false],
  ['19.03', { 'api-version': '1.40', 'builder-version': '2' }, false],
  ['Podman', { 'api-version': '1.44', 'libpod-api-version': '5.8.6' }, false],
])('a build can mount a cache where BuildKit is built in: %s', (_, headers, hasCacheMounts) => {
  expect(readDialect(headers)?.hasCacheMounts).toBe(hasCacheMounts)
})
