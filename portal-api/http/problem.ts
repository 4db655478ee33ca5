import { z } from 'zod';

/**
 * What can go wrong, each with its status and one sentence (RFC 9457). The names are promised: programs tell errors apart by
 * `type`, which is made of them. `detail` says what it means here and what to do.
 */
export const PROBLEMS = {
  malformed: [400, 'The request cannot be read.'],
  invalid: [422, 'The request holds values that cannot be used.'],
  sign_in_required: [401, 'This is for people who are signed in.'],
  sign_in_failed: [401, 'That did not sign you in.'],
  second_factor_required: [401, 'A second factor is needed.'],
  step_up_required: [403, 'It has to be proven again who you are.'],
  not_permitted: [403, 'You may not do this.'],
  cross_site: [403, 'The request came from another site.'],
  not_found: [404, 'There is nothing here.'],
  method_not_allowed: [405, 'This cannot be done here.'],
  conflict: [409, 'This does not go with how things are.'],
  key_conflict: [409, 'The idempotency key stands for another request.'],
  already_done: [409, 'It was done before, and its secret is shown once.'],
  in_progress: [409, 'The same request is under way.'],
  kyc_required: [409, 'Documents are needed first.'],
  terms_required: [409, 'The terms in force have to be accepted first.'],
  no_money: [409, 'The wallet holds too little.'],
  restricted: [409, 'A restriction is in force.'],
  not_available: [409, 'This is not to be had any more.'],
  too_late: [409, 'It is too late for this.'],
  second_approval_required: [409, 'Another admin has to approve this.'],
  code_wrong: [422, 'The code is wrong, used or too old.'],
  version_conflict: [412, 'It was changed meanwhile.'],
  version_required: [428, 'It has to be said which version is changed.'],
  key_required: [428, 'An idempotency key is needed.'],
  too_large: [413, 'That is too much.'],
  unsupported: [415, 'This kind of content is not taken.'],
  too_many: [429, 'That was too often.'],
  internal: [500, 'Something went wrong on our side.'],
  unavailable: [503, 'We cannot do this right now.'],
} as const satisfies Record<string, readonly [number, string]>;

export type ProblemName = keyof typeof PROBLEMS;

export const PROBLEM_TYPE_PREFIX = 'urn:letsdial:problem:';

export const problemSchema = z
  .object({
    type: z.string().regex(/^urn:letsdial:problem:[a-z_]+$/u),
    title: z.string(),
    status: z.int().min(400).max(599),
    detail: z.string().optional(),
    /** Of this request, as the logs have it. */
    request_id: z.string(),
    /** Which fields are wrong and why. */
    errors: z.array(z.object({ path: z.string(), message: z.string() })).optional(),
    retry_after_seconds: z.int().optional(),
    /** What documents are missing; see `kyc_required`. */
    missing: z.array(z.string()).optional(),
    /** Where to see what was done before; see `already_done`. */
    found_at: z.string().optional(),
    /** Where another secret takes the place of the one that was shown. */
    new_secret_at: z.string().optional(),
  })
  .meta({ id: 'Problem' });

export type ProblemBody = z.infer<typeof problemSchema>;
export type ProblemFacts = Partial<
  Pick<ProblemBody, 'detail' | 'errors' | 'retry_after_seconds' | 'missing' | 'found_at' | 'new_secret_at'>
>;

/** An expected refusal on its way to whoever asked. */
export class Problem extends Error {
  override readonly name = 'Problem';
  readonly problem: ProblemName;
  readonly facts: ProblemFacts;

  constructor(problem: ProblemName, detail?: string, facts: Omit<ProblemFacts, 'detail'> = {}) {
    super(detail ?? PROBLEMS[problem][1]);
    this.problem = problem;
    this.facts = detail === undefined ? facts : { detail, ...facts };
  }

  get status(): number {
    return PROBLEMS[this.problem][0];
  }

  body(request_id: string): ProblemBody {
    const [status, title] = PROBLEMS[this.problem];
    return { type: `${PROBLEM_TYPE_PREFIX}${this.problem}`, title, status, ...this.facts, request_id };
  }
}
