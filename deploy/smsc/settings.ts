import { z } from 'zod';
import { behaviourSchema } from './behaviour.ts';

const port = z.int().min(0).max(65_535);

/** What one simulated carrier is started with: a JSON document in the environment variable SMSC_SETTINGS. */
export const smscSettingsSchema = z.strictObject({
  /** Of the loopback network only: it takes texts from whoever knows a password, and its control port asks for none. */
  address: z.ipv4().startsWith('127.').default('127.0.0.1'),
  /** 0: any that is free, here and for the control port. */
  port: port.default(0),
  control_port: port.default(0),
  accounts: z
    .array(z.strictObject({ system_id: z.string().min(1).max(15), password: z.string().max(8) }))
    .min(1)
    .refine((all) => new Set(all.map((one) => one.system_id)).size === all.length, 'a system_id stands twice'),
  log_file: z.string().min(1),
  /** `counts` writes no line for a text, only the sums at the end: for benchmarks in which the carrier must cost little. */
  log: z.enum(['facts', 'counts']).default('facts'),
  behaviour: behaviourSchema.prefault({}),
  /** Of all that is left to chance. */
  seed: z.int().default(1),
  /** The number of the first message id. Null: of the clock, so that a restarted carrier gives no id twice. */
  first_message_number: z.int().min(1).nullable().default(null),
});

export type SmscSettings = z.output<typeof smscSettingsSchema>;
export type SmscSettingsInput = z.input<typeof smscSettingsSchema>;
