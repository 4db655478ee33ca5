import { BaseSequencer } from 'vitest/node';
import type { TestSpecification } from 'vitest/node';

/**
 * What takes longest, the longest first. In a fresh clone nothing is known of earlier runs, and one of these that begins last is waited for
 * by everybody else: for a minute, as it was.
 */
export const LONGEST: readonly string[] = [
  ...[
    'emergency',
    'bad_days_controller',
    'start',
    'spoken_code',
    'switch',
    'outbound',
    'bad_days_postgres',
    'voicemail',
  ]
    .concat(['bad_days_texts', 'dialled_forms', 'bad_days_texts_peers', 'bad_days_redis', 'carriers', 'texts_once'])
    .concat(['guard', 'smsc', 'texts', 'portal', 'desk_effects', 'bind_wishes', 'inbound', 'bad_days_asterisk'])
    .map((name) => `deploy/e2e/${name}.stack.test.ts`),
  ...['controller/call/histories.test.ts', 'portal-api/http/openapi.db.test.ts', 'domain/calls/histories.db.test.ts'],
  ...[
    'domain/texts/histories.db.test.ts',
    'portal-api/kyc/hostile_uploads.db.test.ts',
    'domain/ledger/rules.db.test.ts',
  ],
  ...['portal-api/numbers/histories.db.test.ts', 'portal-api/sign_in/sign_in.db.test.ts'],
  ...['portal-api/numbers/provider/transfers.db.test.ts', 'portal-api/http/away.db.test.ts'],
];

function rank({ moduleId }: TestSpecification): number {
  const place = LONGEST.findIndex((file) => moduleId.endsWith(`/${file}`));
  return place < 0 ? LONGEST.length : place;
}

/** End-to-end tests wait most of their time for a deadline, a retry, a process. */
function waits({ moduleId }: TestSpecification): boolean {
  return moduleId.includes('/deploy/e2e/');
}

/**
 * Spreads what waits among what reckons, and has what waits begin early. In the default's order they come together, and the processors
 * are idle while end-to-end tests wait side by side, or one of them at the very end.
 */
export class Interleaved extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = (await super.sort(files)).toSorted((a, b) => rank(a) - rank(b));
    const order = ({ project }: TestSpecification): number => project.config.sequence.groupOrder;
    const [first, later] = [sorted.filter((file) => order(file) === 0), sorted.filter((file) => order(file) !== 0)];
    return [
      ...interleaved(
        first.filter(waits),
        first.filter((file) => !waits(file)),
      ),
      ...later,
    ];
  }
}

/** One of `few`, then as many of `many` as let `few` end first: what waits longest must not begin last. */
function interleaved<T>(few: readonly T[], many: readonly T[]): T[] {
  const between = few.length === 0 ? many.length : Math.floor(many.length / (few.length + 1));
  const spread = few.flatMap((one, n) => [one, ...many.slice(n * between, (n + 1) * between)]);
  return [...spread, ...many.slice(few.length * between)];
}
