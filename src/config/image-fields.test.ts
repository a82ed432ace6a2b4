import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { currentHost } from '../current-host.ts'
import { readImageFields } from './image-fields.ts'

let folder: string

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'image-fields-'))
})

afterEach(() => rm(folder, { recursive: true }))

test('the base images of a Dockerfile are found, without heredocs, variables, stages and pinned images', async () => {
  const dockerfile = [
    '# escape=`',
    'ARG BASE=debian:12',
    'FROM ${BASE}',
    'RUN <<EOF',
    'FROM users',
    'EOF',
    'FROM --platform=linux/amd64 `',
    '  nginx:1.27 AS web',
    'FROM Web',
    `FROM debian@sha256:${'a'.repeat(64)}`,
    'FROM scratch',
  ]
  await writeFile(join(folder, 'Dockerfile'), dockerfile.join('\n'))
  await writeFile(join(folder, 'testfleet.yaml'), 'servers: { web: { build: { dockerfile: Dockerfile } } }\n')
  const { dockerfileBases } = await readImageFields(undefined, { ...currentHost(), workingFolder: folder })
  expect(dockerfileBases).toEqual([{ at: { file: 'Dockerfile', line: 7, column: 1 }, reference: 'nginx:1.27' }])
})
