/** Files that `--attach-logs` writes, besides `SERVER.log` for each server. */
export const WHY_FILE = 'why.txt'
export const EVENTS_FILE = 'events.jsonl'
