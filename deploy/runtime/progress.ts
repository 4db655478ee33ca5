/** Where a long piece of work tells how far it is. */
export interface Progress {
  /** A new step begins; the one before counts as done. */
  step(text: string): void;
  /** How far the current step is, 0 to 1. */
  portion(done: number): void;
  /** The last step is done. */
  end(): void;
  /** The current step did not succeed; the reason is told elsewhere. */
  fail(): void;
}

/** The part of a terminal or a pipe that is written to. */
export interface Screen {
  isTTY?: boolean;
  columns?: number;
  write(text: string): unknown;
}

const BAR_CELLS = 24;

export function bar(done: number): string {
  const full = Math.round(Math.min(1, Math.max(0, done)) * BAR_CELLS);
  return `${'█'.repeat(full)}${'░'.repeat(BAR_CELLS - full)} ${String(Math.floor(Math.min(1, Math.max(0, done)) * 100)).padStart(3)}%`;
}

export function seconds(elapsed_ms: number): string {
  return `${(elapsed_ms / 1000).toFixed(1)} s`;
}

/** A line that renews itself on a terminal; elsewhere one plain line when a step begins and one when it took long. */
export function showProgress(screen: Screen, now_ms: () => number): Progress {
  return screen.isTTY === true ? renewingLine(screen, now_ms) : plainLines(screen, now_ms);
}

function renewingLine(screen: Screen, now_ms: () => number): Progress {
  let current: { text: string; begun_ms: number; drawn: string } | null = null;
  const draw = (line: string): void => {
    if (current === null || current.drawn === line) return;
    current.drawn = line;
    screen.write(`\r\u001B[2K${line.slice(0, (screen.columns ?? 80) - 1)}`);
  };
  const close = (mark: string): void => {
    if (current === null) return;
    draw(`${mark} ${current.text} (${seconds(now_ms() - current.begun_ms)})`);
    screen.write('\n');
    current = null;
  };
  const end = (): void => {
    close('✓');
  };
  return {
    step: (text) => {
      end();
      current = { text, begun_ms: now_ms(), drawn: '' };
      draw(`  ${text} …`);
    },
    portion: (done) => {
      if (current !== null) draw(`  ${bar(done)} ${current.text} ${seconds(now_ms() - current.begun_ms)}`);
    },
    end,
    fail: () => {
      close('✗');
    },
  };
}

/** Steps shorter than this are not worth a second line in a log. */
const LONG_STEP_MS = 2000;

function plainLines(screen: Screen, now_ms: () => number): Progress {
  let current: { text: string; begun_ms: number; quarters: number } | null = null;
  const end = (): void => {
    if (current === null) return;
    const elapsed_ms = now_ms() - current.begun_ms;
    if (elapsed_ms >= LONG_STEP_MS) screen.write(`${current.text}: done in ${seconds(elapsed_ms)}\n`);
    current = null;
  };
  return {
    step: (text) => {
      end();
      current = { text, begun_ms: now_ms(), quarters: 0 };
      screen.write(`${text} …\n`);
    },
    portion: (done) => {
      if (current === null || done >= 1) return;
      const quarters = Math.floor(done * 4);
      if (quarters <= current.quarters) return;
      current.quarters = quarters;
      screen.write(`${current.text}: ${quarters * 25}%\n`);
    },
    end,
    fail: () => {
      if (current !== null) screen.write(`${current.text}: failed\n`);
      current = null;
    },
  };
}

/** For callers that have nobody to tell. */
export const silentProgress: Progress = {
  step: () => undefined,
  portion: () => undefined,
  end: () => undefined,
  fail: () => undefined,
};
