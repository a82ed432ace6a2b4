#!/usr/bin/env node
// Written in old syntax, so that an old Node prints the message below instead of a syntax error.
var version = process.versions.node.split('.')
if (Number(version[0]) < 22 || (Number(version[0]) === 22 && Number(version[1]) < 18)) {
  console.error('testfleet needs Node.js 22.18 or newer; this is ' + process.version + ' (' + process.execPath + ')')
  process.exitCode = 2
} else {
  keepCompiledCode()
  import('./main.js')
}

/**
 * Keeps compiled code for the next call. Anyone who can write to it can run code as this user, so it must be private.
 */
function keepCompiledCode() {
  var fs = require('node:fs')
  var path = require('node:path')
  var user = process.geteuid && process.geteuid()
  var base = process.env.XDG_CACHE_HOME || (process.env.HOME && path.join(process.env.HOME, '.cache'))
  if (user === undefined || !base || !path.isAbsolute(base)) return
  try {
    // One by one: a recursive mkdir never ends when the system reports ENOENT for a new folder, as /proc does (Node
    // 24.21).
    makeFolder(fs, base)
    makeFolder(fs, path.join(base, 'testfleet'))
    var folder = fs.realpathSync(path.join(base, 'testfleet'))
    if (fs.lstatSync(folder).mode & 0o077) return
    for (var part = folder; ; part = path.dirname(part)) {
      var stats = fs.lstatSync(part)
      var isOpen = (stats.mode & 0o022) !== 0 && (stats.mode & 0o1000) === 0
      if (!stats.isDirectory() || isOpen || (stats.uid !== user && (stats.uid !== 0 || part === folder))) return
      if (path.dirname(part) === part) break
    }
    require('node:module').enableCompileCache(folder)
  } catch (_) {
    // Without the folder, for example in a read-only home, each call takes a few milliseconds longer.
  }
}

function makeFolder(fs, path) {
  try {
    fs.mkdirSync(path, 0o700)
  } catch (error) {
    if (error.code !== 'EEXIST') throw error
  }
}
