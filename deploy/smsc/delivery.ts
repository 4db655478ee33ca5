import type { ShortMessageBody } from '../../sms-gateway/smpp/pdu.ts';
import { STATUS } from '../../sms-gateway/smpp/status.ts';
import type { ReceiptBehaviour } from './behaviour.ts';
import type { Message } from './message.ts';

/** What goes to an ESME by deliver_sm, and goes again until it is acknowledged. */
export type Delivery = ReceiptDelivery | MoDelivery;

export interface ReceiptDelivery {
  kind: 'receipt';
  message: Message;
  outcome: { stat: string; err: string };
  /** The id as this receipt writes it. */
  as: string;
  /** 2 for the second one of a receipt that is sent twice. */
  copy: 1 | 2;
  /** It was made before the text was answered. */
  is_early: boolean;
  /** An intermediate notification by its esm_class, and not a receipt. */
  is_notification: boolean;
  form: Exclude<ReceiptBehaviour['kind'], 'none'>;
  made_at_ms: number;
  tries: number;
}

export interface MoDelivery {
  kind: 'mo';
  body: ShortMessageBody;
  mo: number;
  part: number;
  of: number;
  tries: number;
  /** Once, with the status of the response that ended it. */
  onDone: (status: number) => void;
}

const ASKS_FOR_PATIENCE: ReadonlySet<number> = new Set([
  STATUS.ESME_RX_T_APPN,
  STATUS.ESME_RTHROTTLED,
  STATUS.ESME_RMSGQFUL,
  STATUS.ESME_RSYSERR,
]);

/** Whether a response of that status means: not now. Any other ends the delivery. */
export function isTemporary(status: number): boolean {
  return ASKS_FOR_PATIENCE.has(status);
}
