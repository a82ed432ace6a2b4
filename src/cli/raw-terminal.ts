import { spawnSync } from 'node:child_process'

/**
 * Passes every key to the program that reads standard input, Ctrl-C too, and shows its output unchanged. Returns what
 * gives the terminal back. Node does that itself when the process exits.
 */
export function makeRaw(stdin: NodeJS.ReadStream): () => void {
  stdin.setRawMode(true)
  // Node's raw mode still adds a carriage return to each line feed, which moves the cursor of programs such as vim. Without
  // stty, as on Windows, it stays so.
  spawnSync('stty', ['-onlcr'], { stdio: ['inherit', 'ignore', 'ignore'] })
  return () => void stdin.setRawMode(false)
}
