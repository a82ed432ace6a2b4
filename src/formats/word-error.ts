export function wordError(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}

const fileErrors: Readonly<Record<string, string>> = {
  ENOENT: 'no such file or folder',
  EACCES: 'permission denied',
  EPERM: 'permission denied',
  ENOTDIR: 'a folder of its path is a file',
  ELOOP: 'its links lead in a circle',
  ENAMETOOLONG: 'its name is too long',
  ENOSPC: 'the disk is full',
  EDQUOT: 'the quota of the disk is used up',
  EROFS: 'its file system is read-only',
}

/** Says in a few words why a file cannot be used. */
export function wordFileError(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException
  return fileErrors[code ?? ''] ?? code ?? message
}
