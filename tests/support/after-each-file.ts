import { afterAll } from 'vitest'
import { removeReadableCommand } from './ordinary-user.ts'

// Vitest runs this for each file. A module that files share is loaded once, and its own hooks belong to the first file.
afterAll(removeReadableCommand)
