import { authorize, chooseChallenge } from './digest.ts';
import type { Credentials, DigestAlgorithm } from './digest.ts';
import { headerOf } from './message.ts';
import type { Header, SipRequest, SipResponse } from './message.ts';
import type { Outgoing } from './dialog.ts';
import type { ClientTransaction, TransactionLayer } from './transaction.ts';

export interface AuthenticatedOptions {
  credentials: Credentials | undefined;
  algorithms: readonly DigestAlgorithm[];
  /** A repeated request needs a CSeq of its own. */
  nextCSeq: () => number;
  onTransaction?: (transaction: ClientTransaction) => void;
  /** Every response, the challenges too: `final` is false for those that are answered with credentials. */
  onResponse: (response: SipResponse, transaction: ClientTransaction, settled: boolean) => void;
  onTimeout: () => void;
}

const TRIES_MAX = 3;

/** Sends a request and answers a 401 or 407 once, and again where only the nonce was stale. */
export function sendAuthenticated(layer: TransactionLayer, outgoing: Outgoing, options: AuthenticatedOptions): void {
  const send = (request: SipRequest, tries: number): void => {
    const sent: { transaction?: ClientTransaction } = {};
    const onResponse = (response: SipResponse): void => {
      if (sent.transaction === undefined) return;
      const again = tries < TRIES_MAX ? withCredentials(request, response, tries, options) : undefined;
      options.onResponse(response, sent.transaction, again === undefined);
      if (again !== undefined) send(again, tries + 1);
    };
    sent.transaction = layer.request(request, outgoing.target, { onResponse, onTimeout: options.onTimeout });
    options.onTransaction?.(sent.transaction);
  };
  send(outgoing.request, 1);
}

function withCredentials(
  request: SipRequest,
  response: SipResponse,
  tries: number,
  options: AuthenticatedOptions,
): SipRequest | undefined {
  if ((response.status !== 401 && response.status !== 407) || options.credentials === undefined) return undefined;
  const [asks, answers] =
    response.status === 401 ? ['www-authenticate', 'authorization'] : ['proxy-authenticate', 'proxy-authorization'];
  const values = response.headers.filter((header) => header.name === asks).map((header) => header.value);
  const challenge = chooseChallenge(values, options.algorithms);
  const refused = tries > 1 && headerOf(request, answers) !== undefined && challenge?.stale !== true;
  if (challenge === undefined || refused) return undefined;
  const value = authorize(challenge, options.credentials, request.method, request.uri);
  const headers: Header[] = request.headers.filter((header) => header.name !== answers);
  const cseq = { name: 'cseq', value: `${options.nextCSeq()} ${request.method}` };
  return {
    ...request,
    headers: [...headers.map((header) => (header.name === 'cseq' ? cseq : header)), { name: answers, value }],
  };
}
