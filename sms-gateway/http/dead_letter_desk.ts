import { z } from 'zod';
import type { DeadLetter, DeadLetterPage, Replayed, ReplayWishes } from '../../domain/texts/dead_letters.ts';
import { problemsOf, readJson } from './json_body.ts';
import { problem } from './problem.ts';
import { replyOf } from './reply.ts';
import type { Reply } from './reply.ts';

export interface DeadLetterDeskOptions {
  letters: (page: DeadLetterPage) => Promise<DeadLetter[]>;
  replay: (wishes: ReplayWishes) => Promise<Replayed>;
}

const LISTED_MAX = 100;
const REPLAYED_MAX = 1_000;

const replaySchema = z.strictObject({
  since: z.iso.datetime({ offset: true }).optional(),
  message_id: z.uuid().optional(),
});

/** What an account could not be told: looked at, and told again. */
export class DeadLetterDesk {
  readonly #options: DeadLetterDeskOptions;

  constructor(options: DeadLetterDeskOptions) {
    this.#options = options;
  }

  /** @param query what follows the question mark: `after=ID` for the page after that letter. */
  async list(account_id: string, query: string): Promise<Reply> {
    const after = new URLSearchParams(query).get('after');
    if (after !== null && !/^[0-9]{1,18}$/u.test(after)) {
      return replyOf(problem(400, 'invalid_request', 'after: must be the id of a dead letter, as `next` has it'));
    }
    const letters = await this.#options.letters({
      account_id,
      after: after === null ? null : BigInt(after),
      rows_max: LISTED_MAX,
    });
    const last = letters.length < LISTED_MAX ? undefined : letters.at(-1);
    return {
      status: 200,
      body: {
        dead_letters: letters.map(({ id, dead_at, ...rest }) => ({
          id: id.toString(),
          ...rest,
          dead_at: dead_at.toISOString(),
        })),
        next: last?.id.toString() ?? null,
      },
    };
  }

  /** @param octets of the body; none is a wish for all of them. */
  async replay(account_id: string, octets: Buffer): Promise<Reply> {
    const wishes = readWishes(octets);
    if (typeof wishes === 'string') return replyOf(problem(400, 'invalid_request', wishes));
    const { since, message_id = null } = wishes;
    const replayed = await this.#options.replay({
      ...{ account_id, message_id, rows_max: REPLAYED_MAX },
      since: since === undefined ? null : new Date(since),
    });
    return { status: 200, body: replayed };
  }
}

/** What is wrong with them, in words, where something is. */
function readWishes(octets: Buffer): z.infer<typeof replaySchema> | string {
  if (octets.length === 0) return {};
  const read = readJson(octets);
  if (read.kind === 'invalid') return read.detail;
  const parsed = replaySchema.safeParse(read.value);
  return parsed.success ? parsed.data : problemsOf(parsed.error);
}
