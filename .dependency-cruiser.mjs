/**
 * Which way imports point: cli → api → stories → up → report, failure → sessions → stages → runtime → engine, files → formats, model.
 * ARCHITECTURE.md has the picture. `npm run check` holds the source to it, types included.
 */

/** Folders below src/ that each do one part of the road from a fleet file to endpoints. */
const stages = 'config|presets|plan|images|servers|ready|endpoints|certificates|audit'
/** Tests next to the source, and those that every engine and every runtime must pass. */
const test = '[.]test(?:-d)?[.]ts$|^src/(?:engine|runtime)/conformance/'
/** What is put into the bundle; anything else would have to be installed with it. */
const bundled = '^node_modules/(?:zod|yaml|modern-tar)/'

/**
 * Rooms that are not the core, the files that others may import from them, and who imports these: the files of commands,
 * which are loaded when their command is called.
 */
const periphery = [
  { room: 'audit', doors: 'audit', users: 'api/calls/(?:check|config)' },
  { room: 'supply', doors: 'pin|sbom', users: 'api/calls/(?:pin|sbom)' },
  { room: 'timeline', doors: 'timeline', users: 'api/calls/with-timeline' },
  {
    room: 'names',
    doors: 'names',
    users: '(?:run|command)-in-session|api/(?:command-caller|calls/hosts)|runtime/processes/supervisor/reach-by-name',
  },
]
/** No stories: what a call works with, and the version, which a bill and a bundle name. */
const shared = '^src/(?:tools|version)[.]ts$'

/** The calls that use them. */
const peripheryCalls =
  '^src/(?:api/calls/(?:check|pin|sbom|run|hosts|with-timeline)|runtime/processes/supervisor/reach-by-name)[.]ts$'

/** @type {import('dependency-cruiser').IConfiguration} */
export default {
  forbidden: [
    {
      // Files in a circle can only be read, tested and changed all at once.
      name: 'no-circles',
      severity: 'error',
      from: {},
      to: { circular: true },
    },
    {
      // A renamed file that is still asked for fails here, and not at the first call that loads it.
      name: 'no-missing-files',
      severity: 'error',
      from: {},
      to: { couldNotResolve: true },
    },
    {
      // The readers of formats are what all others share, the schema too: they know text and bytes, and no word of ours.
      name: 'formats-stand-alone',
      severity: 'error',
      from: { path: '^src/formats/', pathNot: test },
      to: { pathNot: '^(?:src/formats/|path$)' },
    },
    {
      // The words are shared by all, and know how a value is written, nothing else. zod, because the schema is the types.
      name: 'model-stands-alone',
      severity: 'error',
      from: { path: '^src/model/', pathNot: test },
      to: { pathNot: '^(?:src/(?:model|formats)/|node_modules/zod/)' },
    },
    {
      // The port says what is asked of an engine in our nouns; a stage's nouns in it would turn the arrow round.
      name: 'engine-knows-the-model-only',
      severity: 'error',
      from: { path: '^src/engine/' },
      to: { path: '^src/', pathNot: '^src/(?:engine|formats|model)/' },
    },
    {
      // Docker's words stay in one folder; the local engine is a second folder. open-engine.ts and reopen-engine.ts choose between them.
      name: 'docker-is-behind-the-port',
      severity: 'error',
      from: {
        path: '^(?:src|tests|examples)/',
        pathNot: `^src/engine/(?:docker/|(?:re)?open-engine[.]ts$)|^tests/(?:integration/engine|support/fake-engine)`,
      },
      to: { path: '^src/engine/docker/' },
    },
    {
      // The port is an interface; what implements it depends on it.
      name: 'port-does-not-know-who-implements-it',
      severity: 'error',
      from: { path: '^src/engine/[^/]+[.]ts$', pathNot: `^src/engine/(?:re)?open-engine[.]ts$|${test}` },
      to: { path: '^src/engine/[^/]+/' },
    },
    {
      // Only an adapter speaks to an engine, so that each call has its deadline and its failures in one place.
      // Ready checks speak HTTP too, to the servers; and the proxy of `run`, which hands on what its command says.
      // The library gives its caller agents that know the fleet's names.
      name: 'http-is-for-engines-and-probes',
      severity: 'error',
      from: {
        path: '^src/',
        pathNot: `^src/(?:engine/(?:dial|docker)|ready)/|^src/(?:names/proxy|api/(?:fleet-names|running-fleet))[.]ts$|${test}`,
      },
      to: { path: '^(?:http|https|http2|undici)$' },
    },
    {
      // Nothing is done by a shell or by the docker command. `run` starts the user's command, the adapter what a
      // docker client starts: credential helpers. A session starts its keeper, which asks the system for processes. A
      // user's pattern is matched in a thread, which can be ended. A server without a container is a process.
      name: 'few-start-processes',
      severity: 'error',
      from: {
        path: '^src/',
        pathNot: `^src/(?:cli|names|engine/(?:docker|local)|sessions/keeper|lender|runtime/processes)/|^src/(?:sessions/processes|patterns/match-pattern|integrations/vitest)[.]ts$|${test}`,
      },
      to: { path: '^(?:child_process|cluster|worker_threads)$' },
    },
    ...periphery.flatMap(({ room, doors, users }) => [
      {
        // With one door, the inside of a room can change, or move into a package, without a change elsewhere.
        name: `${room}-is-entered-by-its-door`,
        severity: 'error',
        from: { path: '^(?:src|tests|bench|examples)/', pathNot: `^src/${room}/` },
        to: { path: `^src/${room}/`, pathNot: `^src/${room}/(?:${doors})[.]ts$` },
      },
      {
        // What is not the core must not cost the core time at its start, nor be needed by it.
        name: `${room}-is-not-needed-by-the-core`,
        severity: 'error',
        from: { path: '^src/', pathNot: `^src/(?:${room}/|(?:${users})[.]ts$)|${test}` },
        to: { path: `^src/${room}/` },
      },
    ]),
    {
      // Each call loads what it needs only.
      name: 'calls-of-the-periphery-are-loaded-on-demand',
      severity: 'error',
      from: {},
      to: { path: peripheryCalls, dynamic: false, dependencyTypesNot: ['type-only'] },
    },
    {
      // Most fleets speak none of them, so they are loaded when a fleet does, and could be plug-ins.
      name: 'rare-protocols-are-entered-by-their-door-on-demand',
      severity: 'error',
      from: { path: '^(?:src|tests|bench|examples)/', pathNot: '^src/ready/rare-protocols/' },
      to: { path: '^src/ready/rare-protocols/', pathNot: '^src/ready/rare-protocols/rare-probes[.]ts$' },
    },
    {
      name: 'rare-protocols-are-not-needed-by-the-core',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/ready/rare-protocols/' },
      to: { path: '^src/ready/rare-protocols/', dynamic: false },
    },
    {
      // What a plug-in could import: the words of a probe, and the ways to talk to a server.
      name: 'rare-protocols-use-what-a-plug-in-could-use',
      severity: 'error',
      from: { path: '^src/ready/rare-protocols/' },
      to: {
        path: '^src/',
        pathNot:
          '^src/(?:ready/(?:rare-protocols/|probe[.]ts$|protocols/(?:conversation|exchange|bytes|ber)[.]ts$)|formats/|model/)',
      },
    },
    {
      // A command's names need neither an engine nor a session: they are given servers and their addresses.
      name: 'names-know-the-model-only',
      severity: 'error',
      from: { path: '^src/names/', pathNot: test },
      to: { path: '^src/', pathNot: '^src/(?:names|formats|model)/' },
    },
    {
      // A timeline is made of events: it needs no engine and no session.
      name: 'timeline-knows-the-model-only',
      severity: 'error',
      from: { path: '^src/timeline/', pathNot: test },
      to: { path: '^src/', pathNot: '^src/(?:timeline|files|formats|model)/|^src/version[.]ts$' },
    },
    {
      // The stories of supply use the stages and the session, and no other story. The version is no story: a bill names it.
      name: 'supply-does-not-look-up',
      severity: 'error',
      from: { path: '^src/supply/', pathNot: test },
      to: { path: '^src/(?:[^/]+[.]ts$|cli/|failure/|names/|audit/)', pathNot: shared },
    },
    {
      // A stage is read, tested and replaced without the others; what two of them need is passed in, or is the model's.
      name: 'stages-stand-side-by-side',
      severity: 'error',
      from: { path: `^src/(${stages})/`, pathNot: test },
      to: { path: `^src/(?:${stages})/`, pathNot: '^src/$1/' },
    },
    {
      // A stage does not know in which story it plays.
      name: 'stages-do-not-look-up',
      severity: 'error',
      from: { path: `^src/(?:${stages}|files)/`, pathNot: test },
      to: {
        path: '^src/(?:[^/]+[.]ts$|sessions/|report/|up/|control/|copy/|state/|failure/|supply/|names/|cli/|integrations/)',
      },
    },
    {
      // Its only input is a pattern and a text, for every caller.
      name: 'patterns-know-nothing-of-ours',
      severity: 'error',
      from: { path: '^src/patterns/', pathNot: test },
      to: { path: '^src/', pathNot: '^src/patterns/' },
    },
    {
      // Packing files is a tool of the stages, and knows what a file is.
      name: 'files-know-formats-and-the-model-only',
      severity: 'error',
      from: { path: '^src/files/', pathNot: test },
      to: { path: '^src/', pathNot: '^src/(?:files|formats|model)/' },
    },
    {
      // An audit of a fleet reads it, and its files: it must hold without an engine, and cannot touch one.
      name: 'audit-knows-the-model-only',
      severity: 'error',
      from: { path: '^src/audit/', pathNot: test },
      to: { path: '^(?:src/|node_modules/|net$|tls$|dgram$|dns)', pathNot: '^src/(?:audit|files|formats|model)/' },
    },
    {
      // Keys are made of what the model says and of nothing else, and are sent to nobody from here.
      name: 'certificates-know-the-model-only',
      severity: 'error',
      from: { path: '^src/certificates/', pathNot: test },
      to: { path: '^(?:src/|node_modules/|dgram$|dns)', pathNot: '^src/(?:certificates|files|formats|model)/' },
    },
    {
      // Sessions are changed through the runtime, whatever runs it: a cluster has no engine. The keeper notes why servers ended.
      name: 'sessions-stand-on-the-runtime',
      severity: 'error',
      from: { path: '^src/sessions/', pathNot: test },
      to: {
        path: '^src/',
        pathNot:
          '^src/(?:sessions|plan|runtime|formats|model)/|^src/engine/(?:reopen-)?engine[.]ts$|^src/(?:why/note-end|current-host)[.]ts$',
      },
    },
    {
      // Most runs need no explanation. What removes an outdated note is small.
      name: 'why-is-loaded-on-demand',
      severity: 'error',
      from: { path: '^src/', pathNot: `^src/(?:why/|api/calls/why[.]ts$)|${test}` },
      to: {
        path: '^src/why/',
        pathNot: '^src/why/note-file[.]ts$',
        dynamic: false,
        dependencyTypesNot: ['type-only'],
      },
    },
    {
      // An explanation looks at a session and at notes, for every story.
      name: 'why-does-not-look-up',
      severity: 'error',
      from: { path: '^src/why/', pathNot: test },
      to: { path: '^src/(?:[^/]+[.]ts$|up/|control/|copy/|state/|cli/|integrations/)', pathNot: shared },
    },
    {
      // The keeper is there in a moment: what cleans up is loaded once it is at work.
      name: 'keeper-starts-small',
      severity: 'error',
      from: { path: '^src/sessions/keeper/', pathNot: `^src/sessions/keeper/clean-up[.]ts$|${test}` },
      to: {
        path: '^src/',
        pathNot: '^src/(?:sessions/keeper/|sessions/processes[.]ts$|formats/|model/)',
        dynamic: false,
      },
    },
    {
      // A port at the height of servers: what runs them is behind it.
      name: 'runtime-does-not-know-who-implements-it',
      severity: 'error',
      from: { path: '^src/runtime/[^/]+[.]ts$', pathNot: test },
      to: {
        path: '^src/',
        pathNot: '^src/(?:runtime/[^/]+[.]ts$|engine/(?:engine|image-types|output-text)[.]ts$|formats/|model/)',
      },
    },
    {
      // Only what puts a call together knows which runtime there is.
      name: 'runtimes-are-behind-the-port',
      severity: 'error',
      from: {
        path: '^src/',
        pathNot: `^src/(?:runtime/(containers|processes)/|open-tools[.]ts$|sessions/keeper/clean-up[.]ts$)|${test}`,
      },
      to: { path: '^src/runtime/[^/]+/' },
    },
    {
      // Containers and processes know nothing of each other. What both need is next to the port.
      name: 'runtimes-stand-side-by-side',
      severity: 'error',
      from: { path: '^src/runtime/(containers|processes)/', pathNot: test },
      to: { path: '^src/runtime/[^/]+/', pathNot: '^src/runtime/$1/' },
    },
    {
      // A supervisor lives as long as its server: it loads little. Processes need no engine. A program can need names.
      name: 'processes-need-no-engine',
      severity: 'error',
      from: { path: '^src/runtime/processes/', pathNot: test },
      to: {
        path: '^src/',
        pathNot: '^src/(?:runtime/(?:processes/|[^/]+[.]ts$)|engine/engine[.]ts$|names/names[.]ts$|formats/|model/)',
      },
    },
    {
      name: 'supervisor-starts-small',
      severity: 'error',
      from: { path: '^src/runtime/processes/supervisor/', pathNot: test },
      to: {
        path: '^src/runtime/',
        pathNot:
          '^src/runtime/processes/(?:supervisor/|(?:find-listener|log-writer|process-table|process-tree|protocol|server-folder)[.]ts$)',
      },
    },
    {
      // A look at a session, and what is kept of a failure, serve every story and know none.
      name: 'what-stories-share-does-not-look-up',
      severity: 'error',
      from: { path: '^src/(?:report|failure)/', pathNot: test },
      to: { path: '^src/(?:[^/]+[.]ts$|up/|control/|copy/|state/|cli/|integrations/)', pathNot: shared },
    },
    {
      name: 'up-does-not-look-up',
      severity: 'error',
      from: { path: '^src/up/', pathNot: test },
      to: { path: '^src/(?:[^/]+[.]ts$|cli/|supply/|names/|audit/|integrations/)', pathNot: shared },
    },
    {
      // The client uses the stories; no story knows the client.
      name: 'stories-do-not-know-the-client',
      severity: 'error',
      from: { path: '^src/', pathNot: `^src/(?:api|cli)/|^src/index[.]ts$|${test}` },
      to: { path: '^src/api/' },
    },
    {
      // The library is loaded in a moment: what a call needs is loaded when it is made.
      name: 'calls-are-loaded-on-demand',
      severity: 'error',
      from: { path: '^src/api/[^/]+[.]ts$', pathNot: test },
      to: { path: '^src/api/calls/', dynamic: false },
    },
    {
      // The command is the first program that uses the client: what it can do, every program can.
      name: 'command-uses-the-client',
      severity: 'error',
      from: { path: '^src/cli/', pathNot: test },
      to: {
        path: '^src/',
        pathNot: '^src/(?:(?:cli|api|formats|model)/|(?:version|current-host|files/output-file)[.]ts$)',
      },
    },
    {
      // The library works without a terminal: it must not load what prints to one.
      name: 'stories-do-not-know-the-command',
      severity: 'error',
      from: { path: '^src/', pathNot: `^src/cli/|${test}` },
      to: { path: '^src/cli/' },
    },
    {
      // The core gets its environment as an argument. Code that reads the process itself cannot be tested or embedded.
      name: 'process-is-read-by-the-command',
      severity: 'error',
      from: {
        path: '^src/',
        pathNot: `^src/(?:cli/|names/|sessions/keeper/|sessions/processes[.]ts$|current-host[.]ts$|lender/main[.]ts$)|${test}`,
      },
      to: { path: '^process$' },
    },
    {
      // They are thin: what they can do, every program can that imports the package.
      name: 'integrations-use-the-library',
      severity: 'error',
      from: { path: '^src/integrations/', pathNot: test },
      to: { path: '^src/', pathNot: '^src/(?:integrations/|index[.]ts$)' },
    },
    {
      // Each needs a test runner, which most processes do not have.
      name: 'integrations-are-not-needed',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/integrations/' },
      to: { path: '^src/integrations/' },
    },
    {
      // Each package is code that users run without having chosen it, and time at every start. Integrations use the
      // runner of the project that they are imported in.
      name: 'few-packages',
      severity: 'error',
      from: { path: '^src/', pathNot: `^src/integrations/|${test}` },
      to: { path: '^node_modules/', pathNot: bundled },
    },
    {
      // Input is parsed once, at the edge; inside, types are enough.
      name: 'input-is-parsed-at-the-edge',
      severity: 'error',
      from: { path: '^src/', pathNot: `^src/(?:model|config|cli)/|${test}` },
      to: { path: '^node_modules/(?:zod|yaml)/' },
    },
    {
      // What ships does not need what stays here.
      name: 'source-does-not-need-its-tests',
      severity: 'error',
      from: { path: '^src/', pathNot: test },
      to: { path: `^(?:tests|tools|bench|examples)/|${test}` },
    },
    {
      // They see what a user sees: the command, the package.
      name: 'end-to-end-tests-stay-outside',
      severity: 'error',
      from: { path: '^(?:tests/e2e|examples)/' },
      to: { path: '^src/' },
    },
  ],
  options: {
    // Imports of types count: they too say who knows whom.
    tsPreCompilationDeps: true,
    doNotFollow: { path: '^node_modules/' },
    exclude: { path: '^dist/' },
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'node', 'default'] },
  },
}
