import { describe, expect, test } from 'vitest'
import { findDigest, parseImageReference, shortenPodmanName } from './image-reference.ts'

const digest = `sha256:${'a'.repeat(64)}`

describe('parseImageReference reads a reference as Docker does', () => {
  test.each([
    ['debian', 'docker.io', 'library/debian', undefined, undefined],
    ['debian:12', 'docker.io', 'library/debian', '12', undefined],
    ['library/debian', 'docker.io', 'library/debian', undefined, undefined],
    ['me/app:1', 'docker.io', 'me/app', '1', undefined],
    ['docker.io/debian', 'docker.io', 'library/debian', undefined, undefined],
    ['docker.io/library/debian', 'docker.io', 'library/debian', undefined, undefined],
    ['index.docker.io/me/app', 'docker.io', 'me/app', undefined, undefined],
    ['ghcr.io/me/app:v1', 'ghcr.io', 'me/app', 'v1', undefined],
    ['ghcr.io/app', 'ghcr.io', 'app', undefined, undefined],
    ['localhost/app', 'localhost', 'app', undefined, undefined],
    ['localhost:5000/app', 'localhost:5000', 'app', undefined, undefined],
    ['localhost:5000/app:1', 'localhost:5000', 'app', '1', undefined],
    ['Registry/app', 'Registry', 'app', undefined, undefined],
    ['host:5000/a/b/c', 'host:5000', 'a/b/c', undefined, undefined],
    [`host:5000/a/b@${digest}`, 'host:5000', 'a/b', undefined, digest],
    [`host:5000/a/b:2@${digest}`, 'host:5000', 'a/b', '2', digest],
    [`ghcr.io/me/app@${digest}`, 'ghcr.io', 'me/app', undefined, digest],
    [`debian:12@${digest}`, 'docker.io', 'library/debian', '12', digest],
  ])('%s', (text, registry, repository, tag, found) => {
    expect(parseImageReference(text)).toEqual({ registry, repository, tag, digest: found })
  })
})

test.each([
  ['debian:12', [`debian@${digest}`], digest],
  ['debian:12', [`docker.io/library/debian@${digest}`], digest],
  ['index.docker.io/library/debian', [`debian@${digest}`], digest],
  ['localhost:5000/app:1', [`other/app@sha256:1`, `localhost:5000/app@${digest}`], digest],
  ['localhost:5000/app:1', [`app@${digest}`], undefined],
  ['me/debian', [`debian@${digest}`], undefined],
  ['debian', [], undefined],
])('findDigest finds the digest of %s in %j: %s', (reference, digests, found) => {
  expect(findDigest(reference, digests)).toBe(found)
})

test("shortenPodmanName gives Podman's names as people write them", () => {
  expect(shortenPodmanName('docker.io/library/debian:12')).toBe('debian:12')
  expect(shortenPodmanName('docker.io/me/app:1')).toBe('me/app:1')
  expect(shortenPodmanName('localhost/testfleet/web:1')).toBe('testfleet/web:1')
  expect(shortenPodmanName('ghcr.io/me/app:1')).toBe('ghcr.io/me/app:1')
})
