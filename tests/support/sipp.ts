/** Scenarios of SIPp: both ends of a call, and of a message. What it puts for a word in brackets, its manual says. */

interface Request {
  readonly sequence: number
  readonly uri?: string
  readonly to?: string
  readonly headers?: readonly string[]
  readonly body?: string
  readonly branch?: string
}

const send = (text: string, attributes = ''): string => `<send${attributes}><![CDATA[\n\n${text}\n\n]]></send>`
const scenario = (...steps: readonly string[]): string =>
  `<?xml version="1.0"?><scenario name="scenario">${steps.join('\n')}</scenario>`

function request(method: string, { sequence, uri = 'sip:[service]@[domain]', ...more }: Request): string {
  const { to = '[peer_tag_param]', headers = [], body = '', branch = '[branch]' } = more
  return [
    `${method} ${uri} SIP/2.0`,
    `Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=${branch}`,
    'From: <sip:[caller]@[remote_ip]>;tag=[call_number]',
    `To: <sip:[service]@[domain]>${to}`,
    'Call-ID: [call_id]',
    `CSeq: ${sequence} ${method}`,
    'Contact: <sip:[caller]@[local_ip]:[local_port];transport=[transport]>',
    ...headers,
    'Max-Forwards: 70',
    'Content-Type: text/plain',
    'Content-Length: [len]',
    '',
    body,
  ].join('\n')
}

const answer = (...headers: readonly string[]): string =>
  send(
    [
      'SIP/2.0 200 OK',
      ...['Via', 'Record-Route', 'From'].map((name) => `[last_${name}:]`),
      ...headers,
      '[last_Call-ID:]',
      '[last_CSeq:]',
      'Contact: <sip:[local_ip]:[local_port];transport=[transport]>',
      'Content-Length: 0',
    ].join('\n'),
  )

/** Sends it without a login, and again when it is asked for one. */
function sendWithLogin(method: string, body = ''): readonly string[] {
  const first = { sequence: 1, to: '', body }
  return [
    send(request(method, first), ' retrans="500"'),
    '<recv response="407" auth="true"/>',
    // The branch is that of the request which it ends.
    method === 'INVITE' ? send(request('ACK', { sequence: 1, branch: '[branch-3]' })) : '<nop/>',
    send(request(method, { ...first, sequence: 2, headers: ['[authentication]'] }), ' retrans="500"'),
  ]
}

/** Calls, and hangs up. */
export const call: string = scenario(
  ...sendWithLogin('INVITE'),
  '<recv response="100" optional="true"/>',
  '<recv response="200" rrs="true"/>',
  send(request('ACK', { sequence: 2, uri: '[next_url]', headers: ['[routes]'] })),
  // Datagrams can overtake each other.
  '<pause milliseconds="200"/>',
  send(request('BYE', { sequence: 3, uri: '[next_url]', headers: ['[routes]'] }), ' retrans="500"'),
  '<recv response="200"/>',
)

export const takeCall: string = scenario(
  '<recv request="INVITE"/>',
  answer('[last_To:];tag=[pid]'),
  '<recv request="ACK"/>',
  '<recv request="BYE"/>',
  answer('[last_To:]'),
)

export const message: string = scenario(...sendWithLogin('MESSAGE', 'hello [service]'), '<recv response="200"/>')

export const takeMessage: string = scenario('<recv request="MESSAGE"/>', answer('[last_To:];tag=[pid]'))

/** As if it were inside a call: with a tag and a route that the caller has made up, to wherever `domain` says. */
export const messageInNoCall: string = scenario(
  send(request('MESSAGE', { sequence: 1, to: ';tag=1', headers: ['Route: <sip:[remote_ip];lr>'] })),
  '<recv response="200"/>',
)
