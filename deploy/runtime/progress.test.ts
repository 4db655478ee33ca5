import { expect, test } from 'vitest';
import { bar, showProgress } from './progress.ts';

interface Written {
  text: string;
}

function screen(isTTY: boolean): Written & { isTTY: boolean; columns: number; write: (text: string) => void } {
  const written = { text: '', isTTY, columns: 60, write: (text: string) => void (written.text += text) };
  return written;
}

test('a bar is as long as the portion and never longer', () => {
  expect(bar(0)).toBe(`${'░'.repeat(24)}   0%`);
  expect(bar(0.5)).toBe(`${'█'.repeat(12)}${'░'.repeat(12)}  50%`);
  expect(bar(7)).toBe(`${'█'.repeat(24)} 100%`);
});

test('on a terminal the line renews itself and stays within its width', () => {
  const out = screen(true);
  let now_ms = 0;
  const progress = showProgress(out, () => now_ms);
  progress.step('Fetching a thing with a name that is rather long for a line');
  now_ms = 1500;
  progress.portion(0.25);
  progress.end();
  const lines = out.text.split('\r\u001B[2K').slice(1);
  expect(lines).toHaveLength(3);
  expect(lines.every((line) => line.replace('\n', '').length < 60)).toBe(true);
  expect(out.text.match(/\n/g)).toHaveLength(1);
  progress.step('Next');
  progress.fail();
  expect(out.text).toMatch(/✗ Next \(0\.0 s\)\n$/);
});

test('elsewhere there are plain lines, few of them', () => {
  const out = screen(false);
  let now_ms = 0;
  const progress = showProgress(out, () => now_ms);
  progress.step('Fetching');
  for (let portion = 0; portion <= 1; portion += 0.01) progress.portion(portion);
  now_ms = 5000;
  progress.step('Quick');
  progress.end();
  expect(out.text).toBe('Fetching …\nFetching: 25%\nFetching: 50%\nFetching: 75%\nFetching: done in 5.0 s\nQuick …\n');
});
