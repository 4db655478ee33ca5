export type Codec = 'PCMU' | 'PCMA';
export type Direction = 'sendrecv' | 'sendonly' | 'recvonly' | 'inactive';

export const PAYLOAD_TYPES: Readonly<Record<Codec, number>> = { PCMU: 0, PCMA: 8 };

export interface MediaDescription {
  address: string;
  port: number;
  /** In the order of preference; codecs that are not ours are left out. */
  codecs: Codec[];
  direction: Direction;
}

export interface SdpOptions extends MediaDescription {
  session_id: number;
  /** Grows by one with each change of a session (RFC 3264 8). */
  version: number;
}

export function formatSdp(options: SdpOptions): string {
  const types = options.codecs.map((codec) => PAYLOAD_TYPES[codec]);
  return [
    'v=0',
    `o=- ${options.session_id} ${options.version} IN IP4 ${options.address}`,
    's=-',
    `c=IN IP4 ${options.address}`,
    't=0 0',
    `m=audio ${options.port} RTP/AVP ${[...types, 101].join(' ')}`,
    ...options.codecs.map((codec) => `a=rtpmap:${PAYLOAD_TYPES[codec]} ${codec}/8000`),
    'a=rtpmap:101 telephone-event/8000',
    'a=fmtp:101 0-15',
    'a=ptime:20',
    `a=${options.direction}`,
    '',
  ].join('\r\n');
}

/** The first audio stream, or undefined where there is none that can be read. Port 0 means refused. */
export function parseSdp(text: string): MediaDescription | undefined {
  const lines = text.split(/\r?\n/);
  const media_at = lines.findIndex((line) => line.startsWith('m=audio '));
  const media = /^m=audio (\d{1,5})(?:\/\d+)? RTP\/S?AVPF? (.+)$/.exec(lines[media_at] ?? '');
  if (media === null) return undefined;
  const next_at = lines.findIndex((line, index) => index > media_at && line.startsWith('m='));
  const own = lines.slice(media_at, next_at === -1 ? undefined : next_at);
  const session = lines.slice(0, media_at);
  const connection = [...own, ...session].find((line) => line.startsWith('c=IN IP4 '));
  if (connection === undefined) return undefined;
  const types = (media[2] ?? '').split(' ').map(Number);
  const directions = [...session, ...own].map((line) => /^a=(sendrecv|sendonly|recvonly|inactive)$/.exec(line)?.[1]);
  const direction = directions.filter((each) => each !== undefined).at(-1) as Direction | undefined;
  return {
    address: connection.slice('c=IN IP4 '.length).split('/')[0]?.trim() ?? '',
    port: Number(media[1]),
    codecs: types.flatMap((type): Codec[] => (type === 0 ? ['PCMU'] : type === 8 ? ['PCMA'] : [])),
    direction: direction ?? 'sendrecv',
  };
}

/** The direction to answer an offer with (RFC 3264 6.1). */
export function answerDirection(offered: Direction): Direction {
  if (offered === 'sendonly') return 'recvonly';
  if (offered === 'recvonly') return 'sendonly';
  return offered;
}

export function maySend(local: Direction, remote: Direction): boolean {
  return (local === 'sendrecv' || local === 'sendonly') && (remote === 'sendrecv' || remote === 'recvonly');
}
