// Jest loads this file again in the context of each test file, where ES modules cannot be required. The library is loaded
// outside of these contexts, by Node: once in each process of Jest.
'use strict'
const { runInThisContext } = require('node:vm')
const { createRequire } = runInThisContext('process').getBuiltinModule('node:module')
const library = createRequire(__filename)('./jest.js')

Object.assign(exports, library)
exports.useFleet = (source, options) => {
  const { beforeAll, beforeEach, afterEach, afterAll } = require('@jest/globals')
  const hooks = { beforeAll, beforeEach, afterEach, afterAll }
  return library.useFleet(source, options, { hooks, context: globalThis })
}
