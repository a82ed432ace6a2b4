import { expect, test } from 'vitest'
import { formatPull, parseReference } from './reference.ts'

const digest = `sha256:${'a'.repeat(64)}`

test.each([
  ['debian', 'docker.io', 'library/debian', undefined, undefined],
  ['debian:12', 'docker.io', 'library/debian', '12', undefined],
  ['me/app:1', 'docker.io', 'me/app', '1', undefined],
  ['docker.io/debian', 'docker.io', 'library/debian', undefined, undefined],
  ['index.docker.io/me/app', 'docker.io', 'me/app', undefined, undefined],
  ['ghcr.io/me/app:v1', 'ghcr.io', 'me/app', 'v1', undefined],
  ['localhost/app', 'localhost', 'app', undefined, undefined],
  ['localhost:5000/app:1', 'localhost:5000', 'app', '1', undefined],
  ['host:5000/a/b/c', 'host:5000', 'a/b/c', undefined, undefined],
  [`ghcr.io/me/app@${digest}`, 'ghcr.io', 'me/app', undefined, digest],
  [`debian:12@${digest}`, 'docker.io', 'library/debian', '12', digest],
])('%s is read as docker reads it', (text, host, path, tag, found) => {
  expect(parseReference(text)).toEqual({ host, path, tag, digest: found })
})

test('a pull asks for one tag, and for a digest where there is one', () => {
  expect(formatPull(parseReference('debian'))).toEqual({ fromImage: 'docker.io/library/debian', tag: 'latest' })
  expect(formatPull(parseReference('host:5000/a:1'))).toEqual({ fromImage: 'host:5000/a', tag: '1' })
  expect(formatPull(parseReference(`a:1@${digest}`))).toEqual({ fromImage: 'docker.io/library/a', tag: digest })
})
