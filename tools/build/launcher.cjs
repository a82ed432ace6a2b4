#!/usr/bin/env node
// Plain enough for any Node to read: what it starts is not, and an older Node would answer with a syntax error.
var version = process.versions.node.split('.')
if (Number(version[0]) < 22 || (Number(version[0]) === 22 && Number(version[1]) < 18)) {
  console.error('testfleet needs Node.js 22.18 or newer; this is ' + process.version + ' (' + process.execPath + ')')
  process.exitCode = 2
} else {
  import('./main.js')
}
