import * as z from 'zod'
import { DURATION } from '../formats/duration.ts'
import * as grammar from '../formats/grammar.ts'
import { IMAGE_REFERENCE } from '../formats/image-reference.ts'
import { isContainerPath, isHostPath } from '../formats/paths.ts'
import { SIZE } from '../formats/size.ts'
import { certificateKinds } from './certificate.ts'
import { ignorableIds } from './finding.ts'
import { protocolKeys } from './fleet-file-protocols.ts'
import * as rules from './fleet-file-rules.ts'

/**
 * The fleet file's one schema. Types, the JSON Schema that editors read, the reference table and every
 * message about a wrong file come from it. It checks and describes; it changes nothing.
 */

// Interpreting beats compiling for the one document that a call reads.
z.config({ jitless: true })

const text = (pattern: RegExp, what: string) =>
  // What else is said of it, is said of what has the right form.
  z.string().regex(pattern, { error: `must be ${what}`, abort: true })
/** Whatever it says: it arrives as it is. */
const freeText = z.string().refine(grammar.isWholeText, 'cannot hold half of a character (a lone surrogate)')
const name = text(
  grammar.NAME,
  'lower-case letters, digits and dashes, at most 40, with a letter or digit at both ends',
)
const port = z.int().min(1, 'must be a port from 1 to 65535').max(65535, 'must be a port from 1 to 65535')
const containerPath = z
  .string()
  .refine(isContainerPath, 'must be an absolute path inside the server, with no `..` and no control characters')
const hostPath = z.string().refine(isHostPath, 'must be a path, relative to the fleet file')
/** What goes to a system call, as arguments and the environment do. */
const systemText = freeText.refine(grammar.hasNoNul, 'cannot hold a NUL character')
const argumentList = z.array(systemText).min(1, 'needs at least one item')
const scalar = z.union([freeText, z.number(), z.boolean()])
const settingValue = z.union([systemText, z.number(), z.boolean()])
const singleLine = z.union([
  freeText.refine(rules.isSingleLine, 'must be one line with no control characters'),
  z.number(),
  z.boolean(),
])
const variableName = text(grammar.VARIABLE, 'the name of an environment variable')
const size = z.union([
  z.int().positive(),
  text(SIZE, 'a size such as 256m or 1g').refine(rules.isSize, 'must be a size of at least one byte and at most 8192t'),
])
const duration = z.union([
  z.number().positive().refine(rules.isDuration, 'must be from 1 ms to 24 days'),
  text(DURATION, 'a time such as 500ms, 30s or 2m').refine(rules.isDuration, 'must be from 1 ms to 24 days'),
])

const outside = z.boolean().optional().describe("This path may lead out of the fleet's folder. Default: false.")

const copyItem = z
  .strictObject({
    from: hostPath
      .optional()
      .describe(
        'A file or folder beside the fleet file. A folder is copied with what is in it; folders get mode 0755, those that the image has too.',
      ),
    outside,
    content: freeText.optional().describe('The text of the file, in place of `from`.'),
    to: containerPath.describe('Where it goes in the image. With `/` at the end, into that folder.'),
    mode: text(grammar.MODE, 'a file mode such as "0644", in quotes')
      .optional()
      .describe('File mode, octal, in quotes.'),
    owner: text(grammar.OWNER, 'a user, or user:group').optional().describe('`user` or `user:group` of the image.'),
  })
  .refine(rules.exactlyOneOf('from', 'content'), 'needs exactly one of `from` and `content`')
  .refine(rules.goesWith('outside', 'from'), { path: ['outside'], message: '`outside` goes with `from`' })

const steps = {
  packages: z
    .array(text(grammar.PACKAGE, 'the name of a Debian package, such as nginx or nginx=1.22.1-9'))
    .optional()
    .describe('Debian packages to install, with nothing left behind in the layer.'),
  copy: z.array(copyItem).optional().describe('Files to put into the image.'),
  run: z
    .array(systemText.min(1))
    .optional()
    .describe('Shell text, run as root inside the image build and nowhere else.'),
  environment: z
    .record(variableName, singleLine)
    .optional()
    .describe('Variables of the image itself, seen by `run` and by the server.'),
}

const imageReference = text(IMAGE_REFERENCE, 'an image reference such as debian:bookworm-slim')

const base = z.strictObject({ from: imageReference.optional().describe('The image to start from.'), ...steps })

const buildKeys = z.strictObject({
  from: imageReference.optional().describe("The image to start from. Default: the base's, or debian:bookworm-slim."),
  ...steps,
  dockerfile: hostPath.optional().describe('A Dockerfile of your own, in place of all the keys above.'),
  context: hostPath
    .optional()
    .describe('The folder that your Dockerfile copies from. Default: the folder that it is in.'),
  outside: z
    .boolean()
    .optional()
    .describe("Your Dockerfile and its context may lead out of the fleet's folder. Default: false."),
  target: z
    .string()
    .regex(/^[A-Za-z0-9][\w.-]*$/, 'must be the name of a stage')
    .optional()
    .describe('The stage of your Dockerfile to stop at.'),
  args: z.record(variableName, settingValue).optional().describe('Build arguments of your Dockerfile.'),
})

const ofDockerfile = ['context', 'outside', 'target', 'args']
const ofSteps = ['from', 'packages', 'copy', 'run', 'environment']

const build = [
  ...ofDockerfile.map((key) => [key, rules.goesWith(key, 'dockerfile'), 'goes with'] as const),
  ...ofSteps.map((key) => [key, rules.excludes(key, 'dockerfile'), 'cannot stand beside'] as const),
].reduce(
  (schema, [key, rule, words]) => schema.refine(rule, { path: [key], message: `\`${key}\` ${words} \`dockerfile\`` }),
  buildKeys,
)

const fromHost = z.strictObject({
  env: variableName.describe('A variable of the environment that testfleet is called in.'),
})
const environmentValue = z.union([
  settingValue,
  fromHost,
  z.strictObject({ secret: text(grammar.SECRET, 'the name of a secret').describe('A secret of this server.') }),
])

const secret = z
  .strictObject({
    env: variableName.optional().describe('Taken from this variable of the environment that testfleet is called in.'),
    file: hostPath.optional().describe('Taken from this file.'),
    outside,
    generate: z.int().min(8).max(1024).optional().describe('Made at random, of so many letters and digits.'),
  })
  .refine(rules.exactlyOneOf('env', 'file', 'generate'), 'needs exactly one of `env`, `file` and `generate`')
  .refine(rules.goesWith('outside', 'file'), { path: ['outside'], message: '`outside` goes with `file`' })

const portText = z.string().refine(rules.isPortText, { error: ({ input }) => wordPortText(String(input)) })
const portItem = z.union([
  port,
  portText,
  z.strictObject({
    container: port.describe('The port that the server listens at.'),
    host: port.optional().describe('The port of this machine. Default: a free one.'),
    protocol: z.enum(['tcp', 'udp', 'sctp']).optional().describe('Default: tcp.'),
    address: z
      .union([z.ipv4(), z.ipv6()])
      .optional()
      .describe('The address of this machine to listen at. Default: 127.0.0.1.'),
  }),
])

const httpCheck = z.strictObject({
  port: port.describe('The port that the server listens at.'),
  path: z
    .string()
    .regex(/^\/[!-~]*$/, 'must be a path that starts with /')
    .optional()
    .describe('Default: /.'),
  status: z
    .union([z.int().min(100).max(599), z.array(z.int().min(100).max(599)).min(1)])
    .optional()
    .describe('The status to wait for, or several. Default: any from 200 to 399.'),
  headers: z
    .record(z.string().regex(/^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/, "must be a header's name"), freeText)
    .optional()
    .describe('Headers that the answer must have, with this text in them.'),
  body: freeText.optional().describe('Text that must be in the body.'),
})

const byteText = z.string().refine(grammar.isBytes, 'must be of characters up to U+00FF, each of them one byte')

const readyKinds = {
  tcp: z
    .union([
      port,
      z.strictObject({
        port: port.describe('The port that the server listens at.'),
        send: byteText.optional().describe('Bytes to send first; one character of the text is one byte.'),
        expect: byteText
          .min(1)
          .optional()
          .describe('Text that must come back, such as a banner; one character is one byte.'),
      }),
    ])
    .optional()
    .describe('A server, not the proxy of the engine, takes connections at the port; with `expect`, it says so.'),
  http: httpCheck.optional().describe('The server answers this HTTP request.'),
  https: httpCheck.optional().describe('The same over TLS; the certificate is not verified.'),
  exec: argumentList.optional().describe('This command, run inside the server, exits with 0.'),
  log: z
    .union([
      freeText.min(1),
      z.strictObject({
        pattern: z
          .string()
          .min(1)
          .refine(grammar.isPattern, 'must be a regular expression')
          .describe('A regular expression.'),
      }),
    ])
    .optional()
    .describe('A line of its log has this text, from the first line on.'),
  healthcheck: z.literal(true).optional().describe("The image's own health check says healthy."),
  exit: z.int().min(0).max(255).optional().describe('The server does its work and ends with this code.'),
  ...protocolKeys,
}
const readyItem = z.strictObject(readyKinds).refine(rules.hasOneField, 'needs exactly one kind of check')

const mount = z
  .strictObject({
    from: hostPath.optional().describe('A file or folder beside the fleet file.'),
    outside,
    volume: name.optional().describe('A volume of the session, made when it is first asked for.'),
    to: containerPath.describe('Where the server sees it.'),
    writable: z.boolean().optional().describe('Default: false.'),
  })
  .refine(rules.exactlyOneOf('from', 'volume'), 'needs exactly one of `from` and `volume`')
  .refine(rules.goesWith('outside', 'from'), { path: ['outside'], message: '`outside` goes with `from`' })

const tmpfs = z.union([
  containerPath,
  z.strictObject({
    to: containerPath.describe('Where it is in the server.'),
    size: size.optional().describe('Such as 64m.'),
    mode: text(grammar.MODE, 'a file mode such as "1777", in quotes')
      .optional()
      .describe('File mode, octal, in quotes.'),
    uid: z.int().min(0).optional().describe('The user that it belongs to, by number.'),
    gid: z.int().min(0).optional().describe('The group that it belongs to, by number.'),
  }),
])

const ulimit = z.union([z.int().min(-1), z.strictObject({ soft: z.int().min(-1), hard: z.int().min(-1) })])

const capability = text(grammar.CAPABILITY, 'a capability such as NET_ADMIN')

const unsafe = z.strictObject({
  privileged: z
    .boolean()
    .optional()
    .describe("It has every capability and every device of the engine's machine. Default: false."),
  engineSocket: z
    .boolean()
    .optional()
    .describe(
      "The engine's own socket is at /var/run/docker.sock in it: it can start anything, as root of that machine. Only with an engine that is reached by a unix socket. Default: false.",
    ),
  newPrivileges: z
    .boolean()
    .optional()
    .describe('Its programs may gain rights that their caller lacks, as sudo and su do. Default: false.'),
})

const tls = z.union([
  z.boolean(),
  z.strictObject({
    certificate: z
      .enum(certificateKinds)
      .optional()
      .describe('`valid`, or one that is wrong on purpose, as clients must refuse it. Default: valid.'),
    names: z
      .array(
        z.union([
          z.ipv4(),
          z.ipv6(),
          text(grammar.CERTIFICATE_NAME, 'a host name in lower case, an IP address or *.NAME'),
        ]),
      )
      .optional()
      .describe('More names and addresses that it is good for.'),
    owner: text(grammar.OWNER, 'a user, or user:group')
      .optional()
      .describe('Who may read the key. Default: whoever the server runs as.'),
  }),
])

const ignore = z
  .array(
    z.strictObject({
      id: z.enum(ignorableIds).describe('What `check` calls it, such as `runs-as-root`.'),
      reason: text(/^\s*\S[\s\S]{8,}\S\s*$/, 'a reason of at least 10 characters').describe('Why it may stay.'),
    }),
  )
  .optional()

/** A preset says itself which of its options takes what. */
const optionValue = z.union([
  scalar,
  z.array(freeText),
  z.record(freeText, z.union([scalar, z.record(freeText, scalar)])),
])

const server = z
  .strictObject({
    image: imageReference.optional().describe('The image to run. One that the engine lacks is pulled.'),
    build: build.optional().describe('How to build its image.'),
    preset: z
      .string()
      .refine(rules.isPresetName, 'must be the name of a preset, or the folder of one that starts with ./')
      .optional()
      .describe('A server of the catalogue, by name, or of your own, by folder. Other keys change it, key by key.'),
    options: z
      .record(z.string(), optionValue)
      .optional()
      .describe('What the preset is asked for; `testfleet presets NAME` lists it.'),
    command: argumentList.optional().describe('What runs in it, as a list of arguments.'),
    entrypoint: argumentList.optional().describe("In place of the image's entrypoint, as a list of arguments."),
    user: z
      .union([text(grammar.OWNER, 'a user, or user:group'), z.int().min(0)])
      .optional()
      .describe('Who it runs as.'),
    workingDir: containerPath.optional().describe('The folder that it starts in.'),
    environment: z
      .record(variableName, environmentValue)
      .optional()
      .describe('Its variables. `{ env: NAME }` takes a value from here, `{ secret: NAME }` a secret.'),
    labels: z
      .record(
        text(grammar.LABEL, "a label's key").refine(rules.isForeignLabel, 'cannot start with dev.testfleet.'),
        scalar,
      )
      .optional()
      .describe('Labels of its container.'),
    init: z.boolean().optional().describe('A small init runs as its first process. Default: false.'),
    stopSignal: text(grammar.SIGNAL, 'a signal such as SIGTERM')
      .optional()
      .describe('How to ask it to stop. With it, it has 10 s; without it, it is killed at once.'),
    platform: text(grammar.PLATFORM, 'a platform such as linux/amd64')
      .optional()
      .describe('The platform of its image.'),
    secrets: z
      .record(text(grammar.SECRET, 'the name of a secret'), secret)
      .optional()
      .describe('Each becomes the file /run/secrets/NAME.'),
    tls: tls
      .optional()
      .describe("A key and a certificate of the fleet's own authority, at /run/testfleet/tls/key.pem and cert.pem."),
    ports: z.array(portItem).optional().describe('The ports that tests reach it at.'),
    aliases: z
      .array(text(grammar.HOSTNAME, 'a host name in lower case'))
      .optional()
      .describe("More names for it on the fleet's network."),
    extraHosts: z
      .record(
        text(grammar.HOSTNAME, 'a host name in lower case'),
        z.union([z.ipv4(), z.ipv6(), z.literal('host-gateway')]),
      )
      .optional()
      .describe('Names that it knows, with their addresses.'),
    dependsOn: z.array(name).optional().describe('The servers that must be ready before it starts.'),
    ready: z
      .array(readyItem)
      .optional()
      .describe('What must hold before it counts as ready. Default: each published TCP port takes connections.'),
    readyTimeout: duration.optional().describe('How long it may take from its start until it is ready. Default: 60s.'),
    mounts: z.array(mount).optional().describe('Files from here, or volumes; read-only unless `writable`.'),
    tmpfs: z.array(tmpfs).optional().describe('Folders that are held in memory.'),
    readOnly: z.boolean().optional().describe('Its root is read-only. Default: false.'),
    limits: z
      .strictObject({
        memory: size.optional().describe('Such as 256m.'),
        cpus: z.number().min(0.01).max(100_000).optional().describe('Such as 0.5.'),
        pids: z.int().positive().optional().describe('Processes and threads.'),
      })
      .optional()
      .describe('What it may use at most.'),
    capAdd: z.array(capability).optional().describe('Capabilities to add; one that is dropped too is added.'),
    capDrop: z
      .array(capability)
      .optional()
      .describe(
        'Capabilities to take away, or ALL. Default: NET_RAW, MKNOD, AUDIT_WRITE, SETFCAP and SETPCAP; none of a privileged server.',
      ),
    unsafe: unsafe
      .optional()
      .describe("What opens the engine's machine to the server; each key closed unless it is `true`."),
    sysctls: z
      .record(text(grammar.SYSCTL, 'a kernel parameter'), z.union([systemText, z.number()]))
      .optional()
      .describe('Kernel parameters of its namespaces.'),
    ulimits: z
      .record(z.string().regex(/^[a-z]{2,16}$/, 'must be the name of a limit such as nofile'), ulimit)
      .optional()
      .describe('Limits of its processes.'),
    export: z
      .record(variableName, systemText)
      .optional()
      .describe('Variables for the test command, with ${host}, ${port.N}, ${hostname} and ${secret.NAME}.'),
    ignore: ignore.describe('Findings of `check` in this server that may stay.'),
  })
  .refine(rules.hasOneSource, 'needs exactly one of `image`, `build` and `preset`')
  .refine(rules.goesWith('options', 'preset'), { path: ['options'], message: '`options` goes with `preset`' })

/** The whole fleet file, as a person writes it. */
export const fleetFileSchema = z.strictObject({
  $schema: z.string().optional().describe('Where an editor finds the schema; testfleet does not read it.'),
  name: name.optional().describe("The fleet's name. Default: the folder's name."),
  domain: text(grammar.HOSTNAME, 'a domain in lower case')
    .max(100, 'must be at most 100 characters')
    .optional()
    .describe('Every server is <server>.<domain>. Default: <name>.test.'),
  base: base.optional().describe('What stands in front of every image that is built.'),
  servers: z
    .record(name, server)
    .refine(rules.hasServer, 'needs at least one server')
    .describe('The servers, by name.'),
  ignore: ignore.describe('Findings of `check` that may stay, in every server.'),
})

/** What `defineFleet()` takes: the fleet file as an object. */
export type FleetFile = z.input<typeof fleetFileSchema>
/** One server of a fleet file. */
export type ServerDeclaration = FleetFile['servers'][string]

/** Docker's own way to write a published port is what most people try first. */
function wordPortText(value: string): string {
  const [, host, container] = /^(\d{1,5}):(\d{1,5})(?:\/(?:tcp|udp|sctp))?$/.exec(value) ?? []
  const published = `; for a fixed port of this machine, write { container: ${container}, host: ${host} }`
  return `must be a port from 1 to 65535, such as 80 or "53/udp"${host === undefined ? '' : published}`
}
