import { BaseSequencer } from 'vitest/node';
import type { TestSpecification } from 'vitest/node';

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
    const sorted = await super.sort(files);
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
