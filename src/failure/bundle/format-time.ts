export function formatTime(atMs: number): string {
  return new Date(atMs).toISOString()
}
