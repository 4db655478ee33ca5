import { parseNameAddress, parseUri, tagOf } from './header_value.ts';
import { cseqOf, headerList, mandatoryHeader } from './message.ts';
import type { Header, SipMessage, SipRequest, SipResponse } from './message.ts';
import { isLoopback } from './socket.ts';
import type { Address } from './socket.ts';

/** A dialog of RFC 3261 12, loose routing only. */
export interface Dialog {
  call_id: string;
  /** The whole values of From and To as this side sends them, with their tags. */
  local: string;
  remote: string;
  local_cseq: number;
  remote_target: string;
  route_set: string[];
  /** Where to send when the route names no IPv4 address: where the other side's message came from. */
  fallback: Address;
}

function contactOf(message: SipMessage, otherwise: string): string {
  return parseNameAddress(headerList(message, 'contact')[0] ?? '')?.uri ?? otherwise;
}

export function dialogOfCaller(invite: SipRequest, response: SipResponse, target: Address): Dialog {
  return {
    call_id: mandatoryHeader(invite, 'call-id'),
    local: mandatoryHeader(invite, 'from'),
    remote: mandatoryHeader(response, 'to'),
    local_cseq: cseqOf(invite).number,
    remote_target: contactOf(response, invite.uri),
    route_set: headerList(response, 'record-route').reverse(),
    fallback: target,
  };
}

export function dialogOfCallee(invite: SipRequest, source: Address, local_tag: string): Dialog {
  const tag = tagOf(invite, 'to') === '' ? `;tag=${local_tag}` : '';
  return {
    call_id: mandatoryHeader(invite, 'call-id'),
    local: mandatoryHeader(invite, 'to') + tag,
    remote: mandatoryHeader(invite, 'from'),
    local_cseq: Math.floor(Math.random() * 1000) + 1,
    remote_target: contactOf(invite, invite.uri),
    route_set: headerList(invite, 'record-route'),
    fallback: source,
  };
}

export interface Outgoing {
  request: SipRequest;
  target: Address;
}

/** A request within the dialog. Counts CSeq up, except for ACK, which has its INVITE's. */
export function dialogRequest(
  dialog: Dialog,
  method: string,
  content: { headers?: Header[]; body?: string; ack_cseq?: number },
): Outgoing {
  if (content.ack_cseq === undefined) dialog.local_cseq += 1;
  const headers: Header[] = [
    { name: 'max-forwards', value: '70' },
    ...dialog.route_set.map((value) => ({ name: 'route', value })),
    { name: 'from', value: dialog.local },
    { name: 'to', value: dialog.remote },
    { name: 'call-id', value: dialog.call_id },
    { name: 'cseq', value: `${content.ack_cseq ?? dialog.local_cseq} ${method}` },
    ...(content.headers ?? []),
  ];
  const request: SipRequest = { kind: 'request', method, uri: dialog.remote_target, headers, body: content.body ?? '' };
  return { request, target: nextHop(dialog) };
}

function nextHop(dialog: Dialog): Address {
  const first = dialog.route_set[0];
  const uri = parseUri(first === undefined ? dialog.remote_target : (parseNameAddress(first)?.uri ?? ''));
  return uri !== undefined && isLoopback(uri.host) ? { address: uri.host, port: uri.port ?? 5060 } : dialog.fallback;
}
