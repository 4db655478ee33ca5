const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
export const DAY_MS = 24 * HOUR_MS;

/** How long a number is kept for whoever is about to buy it, and how many at once. */
export const HOLD_MS = 10 * MINUTE_MS;
export const HOLDS_MAX = 5;
/**
 * Several portals sell numbers, each by its own clock. As far as these may be apart a hold is kept for longer than it was said, from
 * others and for nobody: who was told of ten minutes has them, whichever portal he and the others ask.
 */
export const CLOCKS_APART_MAX_MS = 5 * MINUTE_MS;

/** How long an order may wait for documents, and how many of an account at once. */
export const PENDING_KYC_MS = 14 * DAY_MS;
export const PENDING_KYC_MAX = 5;

/** A provider usually takes less than the first; after the second an order has failed and is refunded. */
export const PROVISIONING_EXPECTED_MS = 15 * MINUTE_MS;
export const PROVISIONING_MAX_MS = DAY_MS;

/** An unpaid number works on for a grace, then is suspended, and then no longer its holder's. */
export const GRACE_MS = 7 * DAY_MS;
export const SUSPENSION_MS = 14 * DAY_MS;
/** Nobody gets a number that somebody else has just had. The migration refuses less. */
export const QUARANTINE_MS = 90 * DAY_MS;

/** When a renewal is announced. */
export const NOTICE_WEEK_MS = 7 * DAY_MS;
export const NOTICE_DAY_MS = DAY_MS;

/** How many numbers of an account may be on their way from other operators: people look after each. */
export const OPEN_PORT_INS_MAX = 20;

export const TRANSFER_OFFER_MS = 7 * DAY_MS;

/** How long a number stays where it is because somebody says that it is his, should we not have decided before. */
export const DISPUTE_KEPT_MS = 60 * DAY_MS;
/** How long whoever has it may take to say why, before anybody decides without having heard him. */
export const HOLDER_ANSWERS_MS = 3 * DAY_MS;

/** How long another operator has to fetch a number that it was promised; until then it is kept for it, paid for or not. */
export const PROMISED_MAX_MS = 60 * DAY_MS;

/** How long ago a fault may have begun that is told of now. */
export const CLAIM_AGE_MAX_MS = 90 * DAY_MS;

/** Wrong PINs after which a new one has to be made. */
export const PORT_PIN_TRIES = 5;
