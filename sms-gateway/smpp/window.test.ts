import { expect, it } from 'vitest';
import { RecordingRequester } from './testing/session_stage.ts';
import { Window } from './window.ts';

function request(sent_at_ms: number, requester = new RecordingRequester()) {
  return { response: 'submit_sm_resp' as const, requester, sent_at_ms, batch: 1 };
}

const untaken = (): boolean => false;

it('numbers requests from 1, and from 1 again after 0x7FFFFFFF', () => {
  expect(new Window(10).nextSequenceNumber(untaken)).toBe(1);
  const window = new Window(10, 0x7ffffffe);
  expect([window.nextSequenceNumber(untaken), window.nextSequenceNumber(untaken)]).toEqual([0x7fffffff, 1]);
});

it('passes over numbers that are in flight, late or taken by others', () => {
  const window = new Window(10, 0x7fffffff);
  window.add(1, request(0));
  window.expire(0);
  window.add(2, request(5));
  expect(window.nextSequenceNumber((number) => number === 3)).toBe(4);
});

it('gives up the oldest first, and only those whose time is over', () => {
  const window = new Window(10);
  const [old, young] = [new RecordingRequester(), new RecordingRequester()];
  window.add(1, request(10, old));
  window.add(2, request(11, young));
  window.expire(10);
  expect([old.outcomes.length, young.outcomes.length, window.in_flight]).toEqual([1, 0, 1]);
});

it('remembers no more late ones than it is told to', () => {
  const window = new Window(2);
  for (const number of [1, 2, 3]) window.add(number, request(0));
  window.expire(0);
  expect([1, 2, 3].map((number) => window.takeLate(number) !== null)).toEqual([false, true, true]);
});
