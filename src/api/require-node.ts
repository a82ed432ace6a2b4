/**
 * Throws if this Node is older than the package needs. `import 'testfleet'` evaluates this file first: a later one would fail with
 * a message about a missing export of Node.
 */
export function requireNode(node: { readonly version: string; readonly execPath: string }): void {
  const [, major = 0, minor = 0] = (/^v?(\d+)\.(\d+)/.exec(node.version) ?? []).map(Number)
  if (major > 22 || (major === 22 && minor >= 18)) return
  throw new Error(`testfleet needs Node.js 22.18 or newer; this is ${node.version} (${node.execPath})`)
}

requireNode({ version: `v${process.versions.node}`, execPath: process.execPath })
