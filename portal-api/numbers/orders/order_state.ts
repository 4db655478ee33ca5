/**
 * The way of an order:
 *
 *     ordered ──documents_missing──> pending_kyc ──cancelled──> cancelled
 *        │                               │    └───refused────> failed
 *        └──────────charged──────────────┴──> provisioning ──supplied──> testing ──tested──> active
 *                                                 └──refused──> failed <──refused──┘
 *
 * The wallet is charged on the way into `provisioning`, and all of it is given back on the way from there into `failed`.
 */
export type OrderState = 'ordered' | 'pending_kyc' | 'provisioning' | 'testing' | 'active' | 'failed' | 'cancelled';

export type OrderEvent = 'documents_missing' | 'charged' | 'supplied' | 'tested' | 'refused' | 'cancelled';

export const ORDER_STATES = [
  'ordered',
  'pending_kyc',
  'provisioning',
  'testing',
  'active',
  'failed',
  'cancelled',
] as const satisfies readonly OrderState[];

const NEXT: Readonly<Record<OrderState, Partial<Record<OrderEvent, OrderState>>>> = {
  ordered: { documents_missing: 'pending_kyc', charged: 'provisioning' },
  pending_kyc: { charged: 'provisioning', refused: 'failed', cancelled: 'cancelled' },
  provisioning: { supplied: 'testing', refused: 'failed' },
  testing: { tested: 'active', refused: 'failed' },
  active: {},
  failed: {},
  cancelled: {},
};

/** Null where the event comes too late or too early: it then changes nothing. */
export function nextOrderState(state: OrderState, event: OrderEvent): OrderState | null {
  return NEXT[state][event] ?? null;
}

/** Whether its money has been taken and not been given back. */
export function isPaid(state: OrderState): boolean {
  return state === 'provisioning' || state === 'testing' || state === 'active';
}

/** Whether it keeps its number from others. */
export function isLive(state: OrderState): boolean {
  return state === 'ordered' || state === 'pending_kyc' || state === 'provisioning' || state === 'testing';
}
