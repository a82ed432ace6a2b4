import { expect, test } from 'vitest'
import { currentHost } from '../current-host.ts'
import { readNeeded } from './lender-environment.ts'

const environment = { TAG: '1', XDG_STATE_HOME: '/state', AWS_SECRET_ACCESS_KEY: 'hidden', TOKEN: 'hidden' }
const host = { ...currentHost('/'), environment }
const server = {
  image: 'debian:bookworm-slim',
  environment: { TAG: { env: 'TAG' } },
  secrets: { token: { env: 'TOKEN' } },
}
const orderOf = (value: unknown) => ({ kind: 'object', value, folder: '/' }) as const

test('a lender gets the variables that its fleet is loaded with, and no others', async () => {
  const fleet = { name: 'shop', servers: { web: server } }
  expect(await readNeeded(orderOf(fleet), host)).toEqual({ TAG: '1', XDG_STATE_HOME: '/state' })
})

test('a lender gets those that say where its files are also for a fleet with mistakes', async () => {
  expect(await readNeeded(orderOf({ servers: 5 }), host)).toEqual({ XDG_STATE_HOME: '/state' })
})

test('a lender gets the folder for sockets where its caller does not note that it is read', async () => {
  const untraced = { ...host, environment: {}, socketEnvironment: { XDG_RUNTIME_DIR: '/run/user/7' } }
  expect(await readNeeded(orderOf({}), untraced)).toEqual({ XDG_RUNTIME_DIR: '/run/user/7' })
})
