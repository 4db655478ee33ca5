import { monotonicMs } from '../sip/clock.ts';

/** Tells a person what happens as it happens. */
export interface Narrator {
  /** Begins a new chapter; the times that follow count from here. */
  chapter: (title: string, about: string) => void;
  /** Something that happens now. */
  say: (words: string) => void;
  /** Lines that stand as they are, such as a bill, set off by a bar. */
  show: (lines: readonly string[]) => void;
}

export function narrator(write: (line: string) => void): Narrator {
  let begun_ms = monotonicMs();
  let chapters = 0;
  return {
    chapter: (title, about) => {
      begun_ms = monotonicMs();
      chapters += 1;
      write('');
      write(`${chapters}. ${title}`);
      write(`   ${about}`);
    },
    say: (words) => write(`   ${secondsText(monotonicMs() - begun_ms).padStart(7)}  ${words}`),
    show: (lines) => {
      write('');
      for (const line of lines) write(`     │ ${line}`.trimEnd());
    },
  };
}

export function secondsText(elapsed_ms: number): string {
  return `${(elapsed_ms / 1000).toFixed(2)} s`;
}
