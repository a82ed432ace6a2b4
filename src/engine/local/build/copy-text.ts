import { posix } from 'node:path'
import { closeAll, openTrusted, toBytes } from '../files/descriptors.ts'
import { Unpacker } from '../files/unpack.ts'
import { treeOf } from '../files/walk.ts'
import type { Machine } from '../programs.ts'
import { type CopyRequest, plainEntry } from './copy-step.ts'
import { expandWord, type Lookup } from './expand.ts'

/** A file whose content is in the Dockerfile. */
export interface Heredoc {
  readonly name: string
  readonly text: string
}

/** Reads the heredocs of a COPY: the files that its words `<<NAME` stand for. */
export function readHeredocs(rest: string, lookup: Lookup): readonly Heredoc[] {
  const [first = '', ...lines] = rest.split('\n')
  let next = 0
  return [...first.matchAll(/<<(-?)(["']?)([^\s"'<]+)\2/g)].map(([, dash = '', quote = '', name = '']) => {
    const body: string[] = []
    while (next < lines.length) {
      const line = (lines[next++] ?? '').replace(dash === '' ? '' : /^\t+/, '')
      if (line === name) break
      body.push(`${line}\n`)
    }
    // As in a shell, quotes around the name keep variables as they are; others are text.
    const text = body.join('')
    return { name, text: quote === '' ? expandText(text, lookup) : text }
  })
}

/** Replaces variables only: in a heredoc, quotes are characters like others. */
function expandText(text: string, lookup: Lookup): string {
  return text.replaceAll(/\\([$\\])|\$\{[^}]*\}|\$[A-Za-z_]\w*/g, (found, escaped?: string) =>
    escaped === undefined ? expandWord(found, lookup) : escaped,
  )
}

/** Writes the heredocs of a COPY into a mounted root. */
export async function addHeredocs(
  machine: Machine,
  root: string,
  heredocs: readonly Heredoc[],
  { to, owner, mode = 0o644 }: Pick<CopyRequest, 'to' | 'owner' | 'mode'>,
): Promise<void> {
  if (heredocs.length === 0) return
  const tree = treeOf(openTrusted(root), [])
  const unpacker = new Unpacker(tree, machine, '/')
  try {
    for (const { name, text } of heredocs) {
      const path = to.endsWith('/') ? posix.join(to, name) : to
      await unpacker.add(
        plainEntry({ kind: 'file', name: toBytes(path).slice(1), mode, owner, content: Buffer.from(text) }),
      )
    }
    unpacker.finish()
  } finally {
    unpacker.close()
    closeAll([tree.root])
  }
}
