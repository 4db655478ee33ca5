export interface CallerScenario {
  /** True: a 401 is expected first and answered with the fields 0 and 1 of the injection file. */
  authenticated: boolean;
  hold_ms: number;
  /** Who hangs up. With `callee` a missing BYE fails the call 30 s after the hold. */
  ends: 'caller' | 'callee';
}

export interface AnswererScenario {
  ring_ms: number;
  hold_ms: number;
  ends: 'caller' | 'callee';
}

const SDP = `v=0
o=- 1 1 IN IP4 [local_ip]
s=-
c=IN IP4 [media_ip]
t=0 0
m=audio [media_port] RTP/AVP 0
a=rtpmap:0 PCMU/8000`;

function scenario(name: string, steps: string[]): string {
  return `<?xml version="1.0" encoding="us-ascii" ?>\n<scenario name="${name}">\n${steps.join('\n')}\n</scenario>\n`;
}

function send(attributes: string, lines: string[], sdp = false): string {
  const body = sdp ? ['Content-Type: application/sdp', 'Content-Length: [len]', '', SDP] : ['Content-Length: 0', ''];
  return `<send ${attributes}><![CDATA[\n${[...lines, ...body].join('\n')}\n]]></send>`;
}

/** Fields of an injected line: 0 user, 1 password, 2 number to dial. */
function invite(cseq: number, extra: string[], attributes: string): string {
  const lines = [
    'INVITE sip:[field2]@[remote_ip]:[remote_port] SIP/2.0',
    'Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]',
    'From: <sip:[field0]@[local_ip]:[local_port]>;tag=[pid]c[call_number]',
    'To: <sip:[field2]@[remote_ip]:[remote_port]>',
    'Call-ID: [call_id]',
    `CSeq: ${cseq} INVITE`,
    'Contact: <sip:[field0]@[local_ip]:[local_port]>',
    'Max-Forwards: 70',
    ...extra,
  ];
  return send(attributes, lines, true);
}

function inDialog(method: string, cseq: number, attributes: string): string {
  return send(attributes, [
    `${method} [next_url] SIP/2.0`,
    'Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]',
    '[routes]',
    'From: <sip:[field0]@[local_ip]:[local_port]>;tag=[pid]c[call_number]',
    'To: <sip:[field2]@[remote_ip]:[remote_port]>[peer_tag_param]',
    'Call-ID: [call_id]',
    `CSeq: ${cseq} ${method}`,
    'Max-Forwards: 70',
  ]);
}

function ackOfRefusal(cseq: number): string {
  return send('', [
    'ACK sip:[field2]@[remote_ip]:[remote_port] SIP/2.0',
    '[last_Via:]',
    '[last_From:]',
    '[last_To:]',
    'Call-ID: [call_id]',
    `CSeq: ${cseq} ACK`,
    'Max-Forwards: 70',
  ]);
}

function reply(status: string, sdp: boolean, attributes = ''): string {
  const copied = ['[last_Via:]', '[last_Record-Route:]', '[last_From:]'];
  const to = '[last_To:];tag=[pid]s[call_number]';
  const rest = ['[last_Call-ID:]', '[last_CSeq:]', 'Contact: <sip:callee@[local_ip]:[local_port]>'];
  return send(attributes, [`SIP/2.0 ${status}`, ...copied, to, ...rest], sdp);
}

/** A reply within the dialog, where To has its tag already. */
function replyInDialog(): string {
  return send('', ['SIP/2.0 200 OK', '[last_Via:]', '[last_From:]', '[last_To:]', '[last_Call-ID:]', '[last_CSeq:]']);
}

/**
 * A caller. The response time `pdd` runs from the first INVITE to the first 180 or 183, `answer` to the 200:
 * sipp starts every clock with the call, and stops each at its first message.
 */
export function callerScenario(options: CallerScenario): string {
  const { authenticated, hold_ms, ends } = options;
  const last_cseq = authenticated ? 2 : 1;
  const challenge = [
    '<recv response="100" optional="true"/>',
    '<recv response="401" auth="true"/>',
    ackOfRefusal(1),
    invite(2, ['[authentication username=[field0] password=[field1]]'], 'retrans="500"'),
  ];
  const ending =
    ends === 'caller'
      ? [
          `<pause milliseconds="${hold_ms}"/>`,
          inDialog('BYE', last_cseq + 1, 'retrans="500"'),
          '<recv response="200" crlf="true"/>',
        ]
      : [`<recv request="BYE" timeout="${hold_ms + 30_000}"/>`, replyInDialog()];
  return scenario('caller', [
    invite(1, [], 'retrans="500" start_rtd="pdd"'),
    ...(authenticated ? challenge : []),
    '<recv response="100" optional="true"/>',
    '<recv response="180" optional="true" rtd="pdd"/>',
    '<recv response="183" optional="true" rtd="pdd"/>',
    '<recv response="200" rtd="answer" rrs="true"/>',
    inDialog('ACK', last_cseq, ''),
    ...ending,
  ]);
}

/** A callee that rings, answers, and hangs up or waits for the other side to. */
export function answererScenario(options: AnswererScenario): string {
  const bye = send('retrans="500"', [
    'BYE [next_url] SIP/2.0',
    'Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]',
    '[routes]',
    'From: [$local]',
    'To: [$remote]',
    '[last_Call-ID:]',
    'CSeq: 1 BYE',
    'Max-Forwards: 70',
  ]);
  const ereg = (header: string, variable: string) =>
    `<ereg regexp=".*" search_in="hdr" header="${header}:" assign_to="${variable}"/>`;
  const ending =
    options.ends === 'callee'
      ? [`<pause milliseconds="${options.hold_ms}"/>`, bye, '<recv response="200"/>']
      : ['<recv request="BYE"/>', replyInDialog(), '<timewait milliseconds="1000"/>'];
  const remembered =
    options.ends === 'callee' ? `<action>${ereg('To', 'local')}${ereg('From', 'remote')}</action>` : '';
  return scenario('answerer', [
    '<recv request="INVITE" rrs="true"/>',
    reply('100 Trying', false),
    reply('180 Ringing', false),
    ...(options.ring_ms > 0 ? [`<pause milliseconds="${options.ring_ms}"/>`] : []),
    reply('200 OK', true, 'retrans="500"'),
    `<recv request="ACK">${remembered}</recv>`,
    ...ending,
  ]);
}
