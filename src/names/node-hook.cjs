// Preloaded by every Node under `run` when the system's own names are not available. Resolves the fleet's names in
// TESTFLEET_NAMES to their servers. Works with Node 14 and later, needs no other module, and does not change other
// names.
'use strict'
const dns = require('node:dns')
const net = require('node:net')
const { syncBuiltinESMExports } = require('node:module')

/** @type {Map<string, { address: string } | { ports: Record<string, { host: string, port: number }> }>} */
const routes = new Map(Object.entries(JSON.parse(process.env.TESTFLEET_NAMES || '{}')))

function findRoute(name) {
  return typeof name === 'string' ? routes.get(name.toLowerCase().replace(/\.$/, '')) : undefined
}

function notFound(name, why) {
  const error = new Error(`getaddrinfo ENOTFOUND ${name}: ${why}`)
  return Object.assign(error, { errno: -3008, code: 'ENOTFOUND', syscall: 'getaddrinfo', hostname: name })
}

/** Answers a lookup of a fleet's name in the system's format. */
function answer(name, route, options) {
  const { all = false, family = 0 } = typeof options === 'object' && options !== null ? options : { family: options }
  if (route.address === undefined) throw notFound(name, 'only its published ports can be reached, by its name')
  if (family === 6 || family === 'IPv6') throw notFound(name, 'it has no address of that family')
  return all ? [[{ address: route.address, family: 4 }]] : [route.address, 4]
}

/** Replaces a function, and copies its properties. */
function replace(object, name, successor) {
  Object.defineProperties(successor, Object.getOwnPropertyDescriptors(object[name]))
  object[name] = successor
}

const { lookup } = dns
replace(dns, 'lookup', function (name, ...words) {
  const route = findRoute(name)
  const done = words.at(-1)
  if (route === undefined || typeof done !== 'function') return lookup.call(this, name, ...words)
  try {
    process.nextTick(done, null, ...answer(name, route, words.length > 1 ? words[0] : undefined))
  } catch (error) {
    process.nextTick(done, error)
  }
  return {}
})

const { lookup: promiseLookup } = dns.promises
replace(dns.promises, 'lookup', async function (name, ...words) {
  const route = findRoute(name)
  if (route === undefined) return promiseLookup.call(this, name, ...words)
  const [first, family] = answer(name, route, words[0])
  return family === undefined ? first : { address: first, family }
})

/** Returns options that lead to the published port; undefined if the port is not published. */
function leadToPublished(options, route) {
  const endpoint = route.ports[options.port]
  return endpoint && { ...options, host: endpoint.host, port: endpoint.port, lookup: undefined }
}

function readOptions([first, second]) {
  return typeof first === 'object' && first !== null ? first : { port: first, host: second }
}

const { connect } = net.Socket.prototype
// If only published ports can be reached, the name and the real port are replaced by the published address.
replace(net.Socket.prototype, 'connect', function (...words) {
  // Node passes options and callback on as one list with a mark.
  const list = Array.isArray(words[0]) ? words[0] : words
  const asked = readOptions(list)
  const route = asked.path ? undefined : findRoute(asked.host)
  if (route === undefined || route.ports === undefined) return connect.apply(this, words)
  const options = leadToPublished(asked, route)
  if (options === undefined) {
    const error = new Error(`connect ECONNREFUSED ${asked.host}:${asked.port}: it publishes no such port`)
    process.nextTick(() => this.destroy(Object.assign(error, { code: 'ECONNREFUSED', syscall: 'connect' })))
    return this
  }
  const callbacks = list.filter((word) => typeof word === 'function')
  if (list === words) return connect.call(this, options, ...callbacks)
  list[0] = options
  return connect.call(this, list)
})

syncBuiltinESMExports()
