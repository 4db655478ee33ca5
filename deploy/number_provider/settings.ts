import { z } from 'zod';

const port = z.int().min(0).max(65_535);
const ms = z.int().min(0).max(86_400_000);
const numbers = z.array(z.string().regex(/^\+\d{6,15}$/u)).default([]);

/** What the simulated provider does with what it is asked; a perfect one by default. */
export const behaviourSchema = z.strictObject({
  /** How long an order takes. */
  provision_ms: ms.default(0),
  /** And then until it is known whether the number can be reached. */
  test_ms: ms.default(0),
  /** How long it takes to agree to another holder, and of which numbers it does not. */
  holder_ms: ms.default(0),
  holders_refused: numbers,
  /** Numbers that it does not supply, and those that it supplies and nobody reaches. */
  refused: numbers,
  unreachable: numbers,
  /** How often each webhook is sent, how late, and whether an earlier one may come after a later one. */
  webhook_copies: z.int().min(0).max(10).default(1),
  webhook_delay_ms: ms.default(0),
  shuffled: z.boolean().default(false),
  /** `errors`: every request is answered with 503. `silence`: none is answered. */
  outage: z.enum(['none', 'errors', 'silence']).default('none'),
  /** So many requests do what they ask, and their answer is lost. */
  answers_lost: z.int().min(0).default(0),
});

export type Behaviour = z.output<typeof behaviourSchema>;

/** What it is started with: a JSON document in the environment variable NUMBER_PROVIDER_SETTINGS. */
export const providerSettingsSchema = z.strictObject({
  address: z.ipv4().startsWith('127.').default('127.0.0.1'),
  /** 0: any that is free. */
  port: port.default(0),
  /** The key that its customer sends. */
  key: z.string().min(16),
  /** Where its customer hears of orders, and what that is signed with. Null: nothing is told. */
  webhook: z
    .strictObject({ url: z.url(), secret: z.string().min(16) })
    .nullable()
    .default(null),
  behaviour: behaviourSchema.prefault({}),
});

export type ProviderSettings = z.output<typeof providerSettingsSchema>;
