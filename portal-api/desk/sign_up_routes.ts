import { z } from 'zod';
import type { PortalContext } from '../context.ts';
import { Problem } from '../http/problem.ts';
import { route } from '../http/route.ts';
import type { Route } from '../http/route.ts';
import { DAY_MS, daysOf, figuresOf, selectSignUps, SIGN_UP_STEPS } from './sign_up_funnel.ts';

/** A quarter of a year. */
export const RANGE_DAYS_MAX = 92;

export const dayRange = z.object({ from: z.iso.date(), to: z.iso.date() });

/** Throws where a range of days ends before it begins, or is too long. */
export function checkRange({ from, to }: z.output<typeof dayRange>): void {
  const days = (Date.parse(to) - Date.parse(from)) / DAY_MS + 1;
  if (days < 1 || days > RANGE_DAYS_MAX) {
    throw new Problem('invalid', `from and to are up to ${RANGE_DAYS_MAX} days, the earlier one first.`);
  }
}

const stepField = z.enum(SIGN_UP_STEPS);
const people = z.int().min(0);

const funnel = z.object({
  steps: z.array(
    z.object({
      step: stepField,
      people,
      /** The step that it is reckoned against; null: it is the first. */
      of_step: stepField.nullable(),
      lost: people,
      /** In parts per million of those who took the step before. */
      lost_ppm: z.int().nullable(),
      /** Half of the people took it within so long, to a tenth: since they began, and since their account was made for what comes after it. */
      median_seconds: z.int().nullable(),
    }),
  ),
  /** By the day, in UTC, on which people began: whoever comes back later counts for the day of their beginning. */
  days: z.array(
    z.object({
      day: z.iso.date(),
      ...{
        flow_begun: people,
        terms_accepted: people,
        email_proven: people,
        phone_proven: people,
        account_made: people,
      },
      ...{ first_top_up: people, first_order: people },
    }),
  ),
});

/** Where people who sign up give up. Figures alone: nobody is in there. */
export function signUpRoutes({ pool }: PortalContext): Route[] {
  return [
    route(
      {
        method: 'get',
        path: '/v1/admin/sign-ups',
        operation_id: 'admin_read_sign_ups',
        summary: 'How far people come who sign up, by day and step, and how long each step takes them.',
        tag: 'admin sign-ups',
        policy: { admin: ['support', 'finance', 'operations', 'owner'] },
        query: dayRange,
        answers: {
          200: { description: 'Those who were invited to somebody’s account are not among them.', json: funnel },
        },
      },
      async ({ query }) => {
        checkRange(query);
        const counts = await selectSignUps(pool, query.from, query.to);
        return { status: 200, body: { steps: figuresOf(counts), days: daysOf(counts, query.from, query.to) } };
      },
    ),
  ];
}
