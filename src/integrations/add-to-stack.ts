import { formatStories, type ServerStory } from './show-failure.ts'

/**
 * Adds what servers did to the stack of a failure, which reporters show next to the test, also in JUnit XML. Returns what it
 * could not add, because what was thrown has no stack.
 */
export function addToStack(error: unknown, stories: readonly ServerStory[]): string | undefined {
  if (stories.length === 0) return undefined
  const text = `servers during this test:\n${formatStories(stories)}`
  if (!(error instanceof Error)) return text
  error.stack = `${error.stack}\n\n${text}`
  return undefined
}
