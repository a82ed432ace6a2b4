import { type Commands, oneServer, servers } from './command.ts'
import { bind, flag, text } from './options.ts'

export const fleetFileCommands = {
  init: {
    summary: 'write a fleet file, with these presets or an example',
    operands: [{ name: 'PRESET', count: 'any', completes: 'preset' }],
    examples: {
      'testfleet init postgresql redis mail':
        'Write testfleet.yaml with three servers; an existing file is never changed',
      'testfleet init db=postgresql cache=redis': 'Name the servers db and cache',
      'testfleet init': 'Write an example that describes its own servers',
    },
  },
  check: {
    summary: 'validate the fleet file and look for risks in it',
    options: {
      format: text('FORMAT', 'Form of the result', { default: 'text', completes: ['text', 'json', 'sarif'] }),
      'fail-on': text('LEVEL', 'Exit with 1 if a finding is of this severity or worse', {
        completes: ['low', 'medium', 'high', 'critical'],
      }),
    },
    examples: { 'testfleet check --fail-on high': 'Exit with 1 if a risk is high or critical' },
  },
  config: {
    summary: 'print the effective fleet file: presets filled in, secrets masked',
    options: { format: text('FORMAT', 'Form of the result', { default: 'yaml', completes: ['yaml', 'json'] }) },
    examples: { 'testfleet config > effective.yaml': 'Save the fleet without presets and hidden defaults' },
  },
  plan: {
    summary: 'show what up would do to each server, and why',
    operands: servers,
    options: {
      bind,
      'images-key': flag('Print a key for a cache of the images instead, and ask no engine'),
    },
    examples: {
      'testfleet plan': 'Show what would be built, started, replaced and removed',
      'testfleet plan --images-key': 'Name a cache of the archive that `testfleet save` writes',
    },
  },
  presets: {
    summary: 'list the presets, or show the options of one',
    operands: [{ name: 'PRESET', count: 'optional', completes: 'preset' }],
    examples: { 'testfleet presets postgresql': "Show the preset's options, ports and variables" },
  },
  schema: {
    summary: 'print the JSON Schema of the fleet file, or of events',
    options: { events: flag('Print the schema of an event, as `--events FILE` writes them') },
    examples: { 'testfleet schema > testfleet.schema.json': 'Save the schema for an editor' },
  },
  types: {
    summary: 'write TypeScript types of the fleet: names, ports and exports',
    options: {
      output: text('FILE', 'File to write, ending with .d.ts', { default: 'standard output', completes: 'file' }),
    },
    examples: { 'testfleet types --output testfleet.types.d.ts': 'Write types for startFleet<Fleet>()' },
  },
  pin: {
    summary: 'write the digests of images into the fleet file',
    options: {
      check: flag('Only list images without a digest; exit with 1 if there are any'),
      'dry-run': flag('Only show what would be written; pull nothing'),
    },
    examples: { 'testfleet pin --check': 'Check in CI that every image is pinned' },
  },
  sbom: {
    summary: "list the packages of a server's image, as CycloneDX",
    operands: oneServer,
    options: { output: text('FILE', 'File to write', { default: 'standard output', completes: 'file' }) },
    examples: { 'testfleet sbom web --output web.cdx.json': 'Write the bill of materials of web' },
  },
} satisfies Commands
