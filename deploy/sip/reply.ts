import { tagOf, topVia } from './header_value.ts';
import { cseqOf, headerList, mandatoryHeader } from './message.ts';
import type { Header, SipRequest, SipResponse } from './message.ts';
import type { Address } from './socket.ts';
import { statusReason } from './status_reason.ts';

export interface ResponseOptions {
  reason?: string;
  headers?: Header[];
  body?: string;
  /** The To tag: ours for the dialog. Not added to a 100, nor where the request had one. */
  to_tag?: string;
}

/** The ACK of a 3xx to 6xx: hop by hop, in the transaction of its INVITE (RFC 3261 17.1.1.3). */
export function ackForRefusal(invite: SipRequest, response: SipResponse): SipRequest {
  const kept = ['from', 'call-id', 'route', 'max-forwards'];
  const headers = invite.headers.filter((header) => kept.includes(header.name));
  headers.unshift({ name: 'via', value: headerList(invite, 'via')[0] ?? '' });
  headers.push({ name: 'to', value: mandatoryHeader(response, 'to') });
  headers.push({ name: 'cseq', value: `${cseqOf(invite).number} ACK` });
  return { kind: 'request', method: 'ACK', uri: invite.uri, headers, body: '' };
}

/** RFC 3261 18.2.2 and RFC 3581: to where the request came from; its port only where `rport` asked for it. */
export function responseTarget(request: SipRequest, source: Address): Address {
  const via = topVia(request);
  if (via?.parameters.has('rport') === true) return source;
  return { address: source.address, port: via?.port ?? 5060 };
}

export function buildResponse(
  request: SipRequest,
  source: Address,
  status: number,
  options: ResponseOptions,
): SipResponse {
  const vias = headerList(request, 'via');
  const first = (vias[0] ?? '').replace(/;rport(?=;|$)/i, `;rport=${source.port};received=${source.address}`);
  const tag =
    status > 100 && options.to_tag !== undefined && tagOf(request, 'to') === '' ? `;tag=${options.to_tag}` : '';
  const routes = request.headers.filter((header) => header.name === 'record-route');
  const headers: Header[] = [first, ...vias.slice(1)].map((value) => ({ name: 'via', value }));
  if (status > 100 && status < 300) headers.push(...routes);
  headers.push(
    { name: 'from', value: mandatoryHeader(request, 'from') },
    { name: 'to', value: mandatoryHeader(request, 'to') + tag },
    { name: 'call-id', value: mandatoryHeader(request, 'call-id') },
    { name: 'cseq', value: mandatoryHeader(request, 'cseq') },
    ...(options.headers ?? []),
  );
  return {
    kind: 'response',
    status,
    reason: options.reason ?? statusReason(status),
    headers,
    body: options.body ?? '',
  };
}
