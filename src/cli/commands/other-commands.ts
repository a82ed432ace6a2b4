import { type Commands, servers } from './command.ts'
import { flag, text } from './options.ts'

export const cleanUpCommands = {
  rmi: {
    summary: 'remove the images that were built for a fleet',
    operands: servers,
    examples: { 'testfleet rmi web': 'Remove the images of web that no container uses' },
  },
  prune: {
    summary: 'remove what dead sessions left, and old images',
    options: {
      all: flag('Also remove sessions that no process has to hold, such as those of up'),
      'older-than': text(
        'TIME',
        'Only sessions whose last change is longer ago, such as 1h; with --all, also those that other machines hold',
      ),
      images: flag('Also remove unused images of all fleets, except the newest of each server'),
      keep: text('N', 'With --images: how many images of each server to keep', { default: '1' }),
      'dry-run': flag('Only show what would be removed'),
    },
    examples: { 'testfleet prune --all --older-than 1d --dry-run': 'Show which sessions are older than a day' },
  },
} satisfies Commands

export const aboutCommands = {
  doctor: {
    summary: 'show which engine is used, why, and what is wrong with it',
    examples: { 'testfleet doctor': 'Find out why the engine cannot be used' },
  },
  completion: {
    summary: 'print the completion script for a shell',
    operands: [{ name: 'SHELL', count: 'one', completes: ['bash', 'zsh', 'fish'] }],
    command: 'optional',
    examples: {
      'source <(testfleet completion bash)': 'Complete in this bash; in ~/.bashrc, in every bash',
      'testfleet completion zsh > ~/.zfunc/_testfleet': 'Complete in zsh, when ~/.zfunc is in fpath before compinit',
      'testfleet completion fish | source': 'Complete in this fish; in config.fish, in every fish',
      'testfleet completion bash -- logs d': 'Print what completes these words, as the script asks for it',
    },
  },
  version: {
    summary: 'print the version',
    examples: { 'testfleet version': 'Print the version' },
  },
  help: {
    summary: 'print the help for a command, or for all',
    operands: [{ name: 'COMMAND', count: 'optional', completes: 'command' }],
    examples: { 'testfleet help up': 'Print the options of up' },
  },
} satisfies Commands
