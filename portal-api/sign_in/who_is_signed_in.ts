import { EVERY_ADMIN, EVERY_CUSTOMER } from '../identity/policy.ts';
import type { Policy } from '../identity/policy.ts';

/** Whoever is signed in, as a customer or as one of the operator's. */
export const SIGNED_IN: Policy = { customer: EVERY_CUSTOMER, admin: EVERY_ADMIN };
/** The same, and it was proven just now that it is still them. */
export const PROVEN: Policy = { ...SIGNED_IN, step_up: true };
