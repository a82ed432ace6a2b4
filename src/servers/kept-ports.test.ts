import { expect, test } from 'vitest'
import type { PortBinding } from '../model/container.ts'
import type { Port } from '../model/fleet.ts'
import { applyKeptPorts, findKeptPorts } from './kept-ports.ts'

const port = (container: number, host?: number, protocol: Port['protocol'] = 'tcp'): PortBinding => ({
  container,
  protocol,
  host,
  address: '127.0.0.1',
})
const published = (container: number, number: number, protocol: Port['protocol'] = 'tcp') => ({
  container,
  protocol,
  port: number,
  address: '127.0.0.1',
})

test('a replacement asks for the port numbers that the engine chose, and for no others', () => {
  const declared = [port(80), port(53, undefined, 'udp'), port(53), port(443, 40443), port(5432)]
  const kept = findKeptPorts(
    [published(80, 40001), published(53, 40002, 'udp'), published(443, 40443), published(5432, 5432)],
    declared,
  )
  expect(
    applyKeptPorts([port(80), port(53, undefined, 'udp'), port(53), port(443), port(5432), port(8080)], kept),
  ).toEqual([port(80, 40001), port(53, 40002, 'udp'), port(53), port(443), port(5432), port(8080)])
})

test('a port number in the fleet file takes precedence', () => {
  const kept = findKeptPorts([published(80, 40001)], [port(80)])
  expect(applyKeptPorts([port(80, 8080)], kept)).toEqual([port(80, 8080)])
})
