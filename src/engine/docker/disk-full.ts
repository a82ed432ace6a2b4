import { say } from '../../model/surface.ts'

/** Messages about a full disk. Other exhausted kernel resources have the same text and are excluded below. */
const DISK_FULL = /no space left on device|disk quota exceeded/i
const OTHER_LIMITS = /inotify|cgroup|cpuset|keyring|session key|unshare|namespace|sem(?:get|op)|shmget/i

export function hintForFullDisk(): string {
  const prune = say('pruneImages')
  return `Free space on its machine: \`docker system df\` shows the usage; ${prune}, \`docker builder prune\` and \`docker image prune\` remove what is not needed.`
}

export function isDiskFull(words: string): boolean {
  return DISK_FULL.test(words) && !OTHER_LIMITS.test(words)
}

/** Replaces a message about a full disk, which names only the engine's own files, by one sentence. */
export function shortenDiskFull(words: string): string {
  return isDiskFull(words) ? "the engine's disk is full (no space left on device)" : words
}

/** Returns a hint if the message is about a full disk. */
export function diskFullHint(words: string): string | undefined {
  return isDiskFull(words) ? hintForFullDisk() : undefined
}
