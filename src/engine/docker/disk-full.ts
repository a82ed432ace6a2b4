/** What an engine says of a disk that is full, and what it says of other things that the kernel has none left of. */
const DISK_FULL = /no space left on device|disk quota exceeded/i
const OTHER_LIMITS = /inotify|cgroup|cpuset|keyring|session key|unshare|namespace|sem(?:get|op)|shmget/i

export const DISK_FULL_HINT =
  'Free space on its machine: `docker system df` shows what takes it; `testfleet prune --images`, `docker builder prune` ' +
  'and `docker image prune` remove what is not needed.'

export function isDiskFull(words: string): boolean {
  return DISK_FULL.test(words) && !OTHER_LIMITS.test(words)
}

/** The engine's words, or one sentence in place of those about a full disk, which name only its own files. */
export function shortenDiskFull(words: string): string {
  return isDiskFull(words) ? "the engine's disk is full (no space left on device)" : words
}

/** A hint for a failure of which these are the words, unless it has one. */
export function diskFullHint(words: string): string | undefined {
  return isDiskFull(words) ? DISK_FULL_HINT : undefined
}
